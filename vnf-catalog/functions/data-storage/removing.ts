import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { RESOURCE_TYPE, RSC, type CommitReply, type ResourceAttributes } from '../../shared/index.ts';
import { computeDeletionNotice, computeEvents, EVENT, type ResourceEvent } from './events.ts';
import type { Outbox } from './outbox.ts';
import {
  representationOf,
  type InstanceRow,
  type Located,
  type ResourceRow,
  type ResourceTable,
} from './resource-table.ts';

/** Deleting resources, on request and because a limit is reached, and telling subscribers what happened. */
export class Removing {
  readonly #table: ResourceTable;
  readonly #outbox: Outbox;
  readonly #deleteInstance: StatementSync;
  readonly #deleteInstances: StatementSync;
  readonly #deleteSubtree: StatementSync;
  readonly #subtree: StatementSync;
  readonly #setCounters: StatementSync;

  constructor(database: DatabaseSync, table: ResourceTable, outbox: Outbox) {
    this.#table = table;
    this.#outbox = outbox;
    this.#deleteInstance = database.prepare('DELETE FROM instance WHERE seq = ?');
    this.#deleteInstances = database.prepare('DELETE FROM instance WHERE parent = ?');
    const subtree = "path = ? OR (path > ? || '/' AND path < ? || '0')";
    this.#deleteSubtree = database.prepare(`DELETE FROM resource WHERE ${subtree}`);
    this.#subtree = database.prepare(`SELECT * FROM resource WHERE ${subtree}`);
    this.#setCounters = database.prepare('UPDATE resource SET cni = ?, cbs = ? WHERE id = ?');
  }

  /** Puts into the outbox what the subscriptions of the resource want to know of the event. */
  tell(subscribedTo: ResourceRow, event: ResourceEvent): void {
    for (const subscription of this.#table.subscriptionsOf(subscribedTo.id)) {
      for (const entry of computeEvents(subscription, event)) this.#outbox.add(entry);
    }
  }

  remove(located: Located): CommitReply {
    if (located.kind === 'instance') return this.#removeInstance(located.row, located.container);
    const { row } = located;
    if (row.ty === RESOURCE_TYPE.cseBase) {
      return { outcome: 'refused', rsc: RSC.operationNotAllowed, debug: 'the CSEBase cannot be deleted' };
    }
    const resource = representationOf(row);
    const rows = this.#subtree.all(row.path, row.path, row.path) as unknown as ResourceRow[];
    for (const gone of rows) this.#tellOfRemoval(gone);
    const parent = this.#table.byRow(row.parent);
    if (parent !== undefined) this.tell(parent, { net: EVENT.deleteChild, ty: row.ty, resource });
    for (const gone of rows) {
      if (gone.ty === RESOURCE_TYPE.container) this.#deleteInstances.run(gone.id);
    }
    this.#deleteSubtree.run(row.path, row.path, row.path);
    return { outcome: 'done', rsc: RSC.deleted, path: row.path, ty: row.ty, resource };
  }

  /** Deletes the oldest contentInstances until the container is within its limits. */
  evict(container: ResourceRow, limits: { readonly mni?: number; readonly mbs?: number }): void {
    let { cni, cbs } = container;
    const isOver = (): boolean =>
      (limits.mni !== undefined && cni > limits.mni) || (limits.mbs !== undefined && cbs > limits.mbs);
    if (!isOver()) return;
    while (cni > 0 && isOver()) {
      const oldest = this.#table.oldestOf(container.id);
      if (oldest === undefined) break;
      this.#deleteInstance.run(oldest.seq);
      cni -= 1;
      cbs -= oldest.size;
      this.tell(container, deletionOf(oldest));
    }
    this.#setCounters.run(cni, cbs, container.id);
  }

  #removeInstance(row: InstanceRow, container: ResourceRow): CommitReply {
    this.#deleteInstance.run(row.seq);
    this.#setCounters.run(container.cni - 1, container.cbs - row.size, container.id);
    const event = deletionOf(row);
    this.tell(container, event);
    const path = `${container.path}/${String(event.resource['rn'])}`;
    return { outcome: 'done', rsc: RSC.deleted, path, ty: event.ty, resource: event.resource };
  }

  #tellOfRemoval(row: ResourceRow): void {
    if (row.ty === RESOURCE_TYPE.subscription) {
      for (const entry of computeDeletionNotice(row)) this.#outbox.add(entry);
      return;
    }
    this.tell(row, { net: EVENT.delete, ty: row.ty, resource: representationOf(row) });
  }
}

function deletionOf(row: InstanceRow): ResourceEvent {
  const resource = JSON.parse(row.attributes) as ResourceAttributes;
  return { net: EVENT.deleteChild, ty: RESOURCE_TYPE.contentInstance, resource };
}
