import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  CommitReply,
  CommitRequest,
  ListReply,
  ListRequest,
  LookRequest,
  OutboxSettle,
  ResourceAttributes,
} from '../../shared/index.ts';
import { Answers } from './answers.ts';
import { Creating } from './creating.ts';
import { Outbox } from './outbox.ts';
import { Reading } from './reading.ts';
import { Removing } from './removing.ts';
import { ResourceTable } from './resource-table.ts';
import { Updating } from './updating.ts';

export interface StoreSettings {
  /** Name and resource id of the CSEBase, and who created it. */
  readonly cseName: string;
  readonly cseResourceId: string;
  readonly adminOriginator: string;
  readonly base: ResourceAttributes;
  /** How long an answer can be asked for again. */
  readonly keepAnswersMilliseconds: number;
}

/**
 * The resources of one CSE over an open database. It does not commit: its caller puts any number of requests into one
 * transaction, and answers them when that is on disk.
 */
export class ResourceStore {
  readonly outbox: Outbox;
  readonly #table: ResourceTable;
  readonly #answers: Answers;
  readonly #reading: Reading;
  readonly #creating: Creating;
  readonly #updating: Updating;
  readonly #removing: Removing;
  readonly #settings: StoreSettings;
  readonly #expiredResource: StatementSync;
  readonly #expiredInstance: StatementSync;

  constructor(database: DatabaseSync, settings: StoreSettings, now: number) {
    this.#settings = settings;
    this.outbox = new Outbox(database);
    this.#table = new ResourceTable(database);
    this.#answers = new Answers(database);
    this.#reading = new Reading(database, this.#table, this.#answers, settings.cseName);
    this.#removing = new Removing(database, this.#table, this.outbox);
    this.#creating = new Creating(database, this.#table, this.#removing, settings.cseName);
    this.#updating = new Updating(database, this.#table, this.#removing);
    this.#creating.createBase(settings.cseResourceId, settings.base, settings.adminOriginator, now);
    this.#expiredResource = database.prepare('SELECT ri FROM resource WHERE expires <= ? LIMIT 100');
    this.#expiredInstance = database.prepare('SELECT seq FROM instance WHERE expires <= ? LIMIT 1000');
  }

  /** JSON of a `LookReply`. */
  look(request: LookRequest): string {
    return this.#reading.look(request);
  }

  list(request: ListRequest): ListReply {
    return this.#reading.list(request);
  }

  /** JSON of a `CommitReply`. The same key gets the same answer and changes nothing a second time. */
  commit(request: CommitRequest, now: number): string {
    const answered = this.#answers.find(request.key);
    if (answered !== undefined) return answered;
    if (!this.#isCurrent(request.expect)) return '{"outcome":"stale"}';
    const reply = this.#apply(request.change, now);
    const body = JSON.stringify(reply);
    if (reply.outcome === 'done') this.#answers.keep(request.key, body);
    return body;
  }

  settle(settle: OutboxSettle, monotonic: number): void {
    if (settle.removeSubscription !== undefined) {
      const located = this.#table.locate(settle.removeSubscription, this.#settings.cseName);
      if (located !== undefined) this.#removing.remove(located);
      this.outbox.drop(settle.removeSubscription);
    }
    this.outbox.settle(settle, monotonic);
  }

  /** Deletes what has expired and answers that nobody can ask for any more; a bounded amount at a time. */
  tidy(now: number, monotonic: number): void {
    this.#answers.prune(monotonic, this.#settings.keepAnswersMilliseconds);
    const expired = [
      ...this.#expiredResource.all(now).map((row) => String(row['ri'])),
      ...this.#expiredInstance.all(now).map((row) => `cin${Number(row['seq']).toString(36)}`),
    ];
    for (const ri of expired) {
      const located = this.#table.locate(ri, this.#settings.cseName);
      if (located !== undefined) this.#removing.remove(located);
    }
  }

  #isCurrent(expect: CommitRequest['expect']): boolean {
    return expect.every(([ri, rev]) => this.#table.byRi(ri)?.rev === rev);
  }

  #apply(change: CommitRequest['change'], now: number): CommitReply {
    switch (change.op) {
      case 'create':
        return this.#creating.create(change, now);
      case 'update':
        return this.#updating.update(change, now);
      case 'delete': {
        const located = this.#table.locate(change.ri, this.#settings.cseName);
        return located === undefined ? { outcome: 'stale' } : this.#removing.remove(located);
      }
    }
  }
}
