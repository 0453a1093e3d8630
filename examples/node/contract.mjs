// 本单位能说的动作：照法院交来的 contract.json，没有就照下表。What we may say: by the contract.json that the court hands over, otherwise
// by the list below (docs/contracts.md). A word that nobody knows is then not signed, nor does it use up a number.
import { readFileSync } from 'node:fs';

const KNOWN = new Set([
  'delivered', 'receipt', 'accept', 'supplement-request', 'refuse', 'return',
  'objection', 'progress', 'result', 'correct', 'withdraw-ack', 'acknowledge',
  'send-team', 'identity-check', 'handover', 'false-hit', 'read',
]);

// type → the verbs that we may say in it. path: undefined where there is no contract. Throws where it cannot be read.
export function sayable(path) {
  const types = path === undefined ? [] : JSON.parse(readFileSync(path, 'utf8')).contract.types;
  const said = new Map(types.map(({ card, verbs }) => [card.name, ours(verbs)]));
  return (type) => said.get(type) ?? KNOWN;
}

const ours = (verbs) => new Set(Object.keys(verbs).filter((verb) => verbs[verb].by === 'asked'));
