import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { RESOURCE_TYPE, RSC, type Change, type CommitReply } from '../../shared/index.ts';
import { expiryOf, IN_THE_PAST, isOver } from './creating.ts';
import { EVENT } from './events.ts';
import type { Removing } from './removing.ts';
import { representationOf, type ResourceTable } from './resource-table.ts';
import { toOneM2mTime } from './timestamps.ts';

export type UpdateChange = Extract<Change, { op: 'update' }>;

/** Updating resources; a container that got narrower limits keeps them at once. */
export class Updating {
  readonly #table: ResourceTable;
  readonly #removing: Removing;
  readonly #write: StatementSync;

  constructor(database: DatabaseSync, table: ResourceTable, removing: Removing) {
    this.#table = table;
    this.#removing = removing;
    this.#write = database.prepare(
      'UPDATE resource SET attributes = ?, expires = coalesce(?, expires), st = st + 1, rev = rev + 1 WHERE id = ?',
    );
  }

  update(change: UpdateChange, now: number): CommitReply {
    const row = this.#table.byRi(change.ri);
    if (row === undefined) return { outcome: 'stale' };
    if (isOver(change.set, now)) return IN_THE_PAST;
    const attributes: Record<string, unknown> = { ...(JSON.parse(row.attributes) as object), ...change.set };
    for (const name of change.unset) delete attributes[name];
    attributes['lt'] = toOneM2mTime(now);
    this.#write.run(JSON.stringify(attributes), expiryOf(change.set), row.id);
    if (row.ty === RESOURCE_TYPE.container) this.#removing.evict(row, attributes);
    const updated = this.#table.byRi(change.ri);
    const resource = updated === undefined ? attributes : representationOf(updated);
    const unset = Object.fromEntries(change.unset.map((name) => [name, null]));
    const modified = { ...change.set, ...unset, lt: attributes['lt'] };
    this.#removing.tell(row, { net: EVENT.update, ty: row.ty, resource, modified });
    return { outcome: 'done', rsc: RSC.updated, path: row.path, ty: row.ty, resource };
  }
}
