// 一条连接：收件队列（加急优先），带确认的发送通道。One connection: our queues, urgent first, and confirmed publishing.
import { setTimeout as delay } from 'node:timers/promises';
import amqp from 'amqplib';
import { cut, say } from './log.mjs';

export const CONTENT_TYPE = 'application/sd-jwt';
const EXCHANGE = 'lianzhi.in';
const CONNECT_MS = 10_000;
const CONFIRM_MS = 30_000;

export class Link {
  #connection;
  #channel;
  #code;
  #user;
  #waiting = { urgent: [], normal: [] };
  #wake = () => {};
  #lose;
  #lost = new Promise((_, reject) => {
    this.#lose = (why) => reject(new Error(why));
  });
  #returned = new Set();

  // { url, ca, code, prefetch }: prefetch is the number of unacknowledged messages, for each queue.
  static async open({ url, ca, code, prefetch }) {
    const link = new Link();
    link.#lost.catch(() => {}); // whoever waits for something looks at it
    link.#code = code;
    link.#user = decodeURIComponent(new URL(url).username) || code;
    link.#connection = await amqp.connect(url, { ca, timeout: CONNECT_MS });
    link.#connection.on('error', (error) => say({ event: 'connection-error', error: cut(error.message) }));
    link.#connection.on('close', () => link.#lose('connection closed'));
    try {
      await link.#prepare(prefetch);
    } catch (error) {
      await link.close();
      throw error;
    }
    return link;
  }

  async #prepare(prefetch) {
    this.#channel = await this.#connection.createConfirmChannel();
    this.#channel.on('error', (error) => say({ event: 'channel-error', error: cut(error.message) }));
    this.#channel.on('close', () => this.#lose('channel closed'));
    this.#channel.on('return', ({ properties }) => this.#returned.add(properties.messageId));
    await this.#channel.prefetch(prefetch);
    await this.#consume(`lianzhi.to.${this.#code}`, this.#waiting.normal);
    const urgent = `lianzhi.to.${this.#code}.urgent`;
    if (await this.#exists(urgent)) await this.#consume(urgent, this.#waiting.urgent);
  }

  #consume(queue, into) {
    return this.#channel.consume(queue, (delivery) => {
      if (delivery === null) return this.#lose(`${queue}: consumer cancelled by the broker`);
      into.push(delivery);
      return this.#wake();
    });
  }

  // 有的单位没有加急队列。Not every partner has an urgent queue; asking for one that is not there closes a channel.
  async #exists(queue) {
    const channel = await this.#connection.createChannel();
    channel.on('error', () => {}); // the same error rejects checkQueue
    try {
      await channel.checkQueue(queue);
      await channel.close();
      return true;
    } catch (error) {
      if (error.code !== 404) throw error;
      return false;
    }
  }

  // The next delivery, an urgent one before any other; undefined when `wake` was called. Throws when the link is lost.
  async next() {
    const { urgent, normal } = this.#waiting;
    if (!urgent.length && !normal.length) {
      const arrived = new Promise((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([arrived, this.#lost]);
    }
    return urgent.shift() ?? normal.shift();
  }

  wake() {
    this.#wake();
  }

  ack(delivery) {
    this.#channel.ack(delivery);
  }

  // 持久、必达、须确认。Persistent, mandatory, confirmed, as our own user. Throws unless the broker has it, for certain.
  async publish({ id, routingKey, text }) {
    const confirmed = new Promise((resolve, reject) => {
      this.#channel.publish(
        EXCHANGE,
        routingKey,
        Buffer.from(text, 'ascii'),
        { persistent: true, mandatory: true, contentType: CONTENT_TYPE, messageId: id, userId: this.#user },
        (error) => (error ? reject(new Error(`${routingKey}: refused by the broker`)) : resolve()),
      );
    });
    const inTime = new AbortController();
    const late = delay(CONFIRM_MS, undefined, { signal: inTime.signal }).then(
      () => Promise.reject(new Error(`${routingKey}: no confirm within ${CONFIRM_MS} ms`)),
      () => {}, // aborted: it was in time
    );
    try {
      await Promise.race([confirmed, late, this.#lost]);
    } finally {
      inTime.abort();
    }
    if (this.#returned.delete(id)) throw new Error(`${routingKey}: no queue takes it; ask the court`);
  }

  async close() {
    await this.#connection.close().catch(() => {}); // it may be closed already
  }
}
