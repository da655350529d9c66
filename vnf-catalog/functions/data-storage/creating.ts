import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  RESOURCE_TYPE,
  RSC,
  type Change,
  type CommitReply,
  type ResourceAttributes,
} from '../../shared/index.ts';
import { EVENT } from './events.ts';
import type { Removing } from './removing.ts';
import { instanceId, representationOf, type ResourceRow, type ResourceTable } from './resource-table.ts';
import { fromOneM2mTime, toOneM2mTime } from './timestamps.ts';

export type CreateChange = Extract<Change, { op: 'create' }>;

/** How long a resource lives whose creator does not say: ten years. */
const LIFETIME_MILLISECONDS = 10 * 365 * 86_400_000;

/** Creating resources, with the counters and limits of their container. */
export class Creating {
  readonly #table: ResourceTable;
  readonly #removing: Removing;
  readonly #cseName: string;
  readonly #insertInstance: StatementSync;
  readonly #insertResource: StatementSync;
  readonly #lastInstance: StatementSync;
  readonly #count: StatementSync;

  constructor(database: DatabaseSync, table: ResourceTable, removing: Removing, cseName: string) {
    this.#table = table;
    this.#removing = removing;
    this.#cseName = cseName;
    this.#insertInstance = database.prepare(
      'INSERT INTO instance (seq, parent, rn, size, expires, attributes) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#insertResource = database.prepare(
      'INSERT INTO resource (ri, path, ty, parent, rev, org, expires, attributes) VALUES (?, ?, ?, ?, 1, ?, ?, ?)',
    );
    this.#lastInstance = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'instance'");
    this.#count = database.prepare(
      'UPDATE resource SET cni = cni + 1, cbs = cbs + ?, st = st + 1 WHERE id = ?',
    );
  }

  create(change: CreateChange, now: number): CommitReply {
    const parent = this.#table.byRi(change.parent);
    if (parent === undefined) return { outcome: 'stale' };
    if (isOver(change.attributes, now)) return IN_THE_PAST;
    const name = change.rn;
    if (name !== undefined && this.#isTaken(parent, name)) {
      return { outcome: 'refused', rsc: RSC.conflict, debug: `${parent.path} already has a child "${name}"` };
    }
    return change.ty === RESOURCE_TYPE.contentInstance
      ? this.#createInstance(change, parent, now)
      : this.#createResource(change, parent, now);
  }

  /** The CSEBase itself, when it is not there yet. */
  createBase(ri: string, attributes: ResourceAttributes, org: string, now: number): void {
    if (this.#table.byPath(this.#cseName) !== undefined) return;
    const time = toOneM2mTime(now);
    const whole = {
      rn: this.#cseName,
      ty: RESOURCE_TYPE.cseBase,
      ri,
      pi: '',
      ct: time,
      lt: time,
      ...attributes,
    };
    this.#insertResource.run(ri, this.#cseName, RESOURCE_TYPE.cseBase, 0, org, null, JSON.stringify(whole));
  }

  #isTaken(parent: ResourceRow, name: string): boolean {
    if (this.#table.byPath(`${parent.path}/${name}`) !== undefined) return true;
    return parent.ty === RESOURCE_TYPE.container && this.#table.namedInstance(parent.id, name) !== undefined;
  }

  #createInstance(change: CreateChange, container: ResourceRow, now: number): CommitReply {
    const limits = JSON.parse(container.attributes) as { mni?: number; mbs?: number; et?: string };
    const size = sizeOf(change.attributes['con']);
    if (limits.mbs !== undefined && size > limits.mbs) {
      const debug = `the content has ${size} bytes, the container takes ${limits.mbs} (mbs)`;
      return { outcome: 'refused', rsc: RSC.notAcceptable, debug };
    }
    const seq = Number(this.#lastInstance.get()?.['seq'] ?? 0) + 1;
    const ri = instanceId(seq);
    const time = toOneM2mTime(now);
    const resource = {
      rn: change.rn ?? ri,
      ty: RESOURCE_TYPE.contentInstance,
      ri,
      pi: container.ri,
      ct: time,
      lt: time,
      st: container.st + 1,
      cs: size,
      et: limits.et ?? toOneM2mTime(now + LIFETIME_MILLISECONDS),
      ...change.attributes,
    };
    const expires = expiryOf(change.attributes);
    this.#insertInstance.run(seq, container.id, change.rn ?? null, size, expires, JSON.stringify(resource));
    this.#count.run(size, container.id);
    this.#removing.tell(container, { net: EVENT.createChild, ty: resource.ty, resource });
    const counted = { ...container, cni: container.cni + 1, cbs: container.cbs + size };
    this.#removing.evict(counted, limits);
    const path = `${container.path}/${resource.rn}`;
    return { outcome: 'done', rsc: RSC.created, path, ty: resource.ty, resource };
  }

  #createResource(change: CreateChange, parent: ResourceRow, now: number): CommitReply {
    const ri = change.ri ?? '';
    if (this.#table.byRi(ri) !== undefined) {
      const debug = `"${ri}" is registered already`;
      return { outcome: 'refused', rsc: RSC.originatorHasAlreadyRegistered, debug };
    }
    const rn = change.rn ?? ri;
    const time = toOneM2mTime(now);
    const et = toOneM2mTime(now + LIFETIME_MILLISECONDS);
    const attributes = { rn, ty: change.ty, ri, pi: parent.ri, ct: time, lt: time, et, ...change.attributes };
    const path = `${parent.path}/${rn}`;
    const expires = expiryOf(change.attributes);
    this.#insertResource.run(ri, path, change.ty, parent.id, change.org, expires, JSON.stringify(attributes));
    const row = this.#table.byRi(ri);
    const resource = row === undefined ? attributes : representationOf(row);
    this.#removing.tell(parent, { net: EVENT.createChild, ty: change.ty, resource });
    return { outcome: 'done', rsc: RSC.created, path, ty: change.ty, resource };
  }
}

/** Size of a content in bytes, as `cs` and `cbs` count it. */
export function sizeOf(content: unknown): number {
  if (content === undefined) return 0;
  return Buffer.byteLength(typeof content === 'string' ? content : JSON.stringify(content));
}

export const IN_THE_PAST: CommitReply = {
  outcome: 'refused',
  rsc: RSC.badRequest,
  debug: 'et is in the past',
};

/** Whether a request asks for an expiration time that has passed. */
export function isOver(attributes: ResourceAttributes, now: number): boolean {
  return (expiryOf(attributes) ?? Infinity) <= now;
}

/** Only an expiration that a request asked for is watched. */
export function expiryOf(attributes: ResourceAttributes): number | null {
  const et = attributes['et'];
  const time = typeof et === 'string' ? fromOneM2mTime(et) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}
