// 对方发来的东西不合约定：记录在案，不处理。What the other side sent breaks a rule: set aside, never acted on.
export class Refused extends Error {
  // code: a reason of the gateway's own list (docs/contracts.md 3.1), pointer: where.
  constructor(code, pointer = '') {
    super(pointer ? `${code} at ${pointer}` : code);
    this.code = code;
    this.pointer = pointer;
  }
}
