import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  RESOURCE_TYPE,
  type Governor,
  type ListItem,
  type ListReply,
  type ListRequest,
  type LookRequest,
} from '../../shared/index.ts';
import type { Answers } from './answers.ts';
import {
  governorOf,
  instanceId,
  policiesOf,
  representationOf,
  type InstanceRow,
  type Located,
  type ResourceRow,
  type ResourceTable,
} from './resource-table.ts';

/** An answer travels in one message of the broker; lists stop well below its limit and are gone on with. */
const LIST_BYTES = 400_000;
const LIST_ITEMS = 2_000;

/** Reading: one resource with what governs access to it, or those below one. */
export class Reading {
  readonly #table: ResourceTable;
  readonly #answers: Answers;
  readonly #cseName: string;
  readonly #below: StatementSync;
  readonly #instances: StatementSync;

  constructor(database: DatabaseSync, table: ResourceTable, answers: Answers, cseName: string) {
    this.#table = table;
    this.#answers = answers;
    this.#cseName = cseName;
    // '0' is the character after '/': the paths below one are a range of the index.
    this.#below = database.prepare(
      "SELECT * FROM resource WHERE path > ? || '/' AND path < ? || '0' ORDER BY path",
    );
    this.#instances = database.prepare(
      'SELECT * FROM instance WHERE parent = ? ORDER BY seq LIMIT -1 OFFSET ?',
    );
  }

  /** JSON of a `LookReply`. */
  look(request: LookRequest): string {
    const answered = request.key === undefined ? undefined : this.#answers.find(request.key);
    if (answered !== undefined) return `{"answered":${answered}}`;
    const located = this.#table.locate(request.to, this.#cseName);
    if (located === undefined) return '{"found":false}';
    const governor = governorOf(located.kind === 'resource' ? located.row : located.container);
    const policies = policiesOf(this.#table, [governor]);
    const rest = { target: targetOf(located), governor, policies };
    return `{"found":true,"resource":${resourceJson(located)},${JSON.stringify(rest).slice(1)}`;
  }

  list(request: ListRequest): ListReply {
    const target = this.#table.byRi(request.ri);
    if (target === undefined) return { items: [], governors: [], policies: {} };
    const items: ListItem[] = [];
    const governors: Governor[] = [];
    const limit = Math.min(request.limit, LIST_ITEMS);
    let bytes = 0;
    let position = 0;
    for (const found of this.#walk(target, request)) {
      if (typeof found === 'number') {
        position += found;
        continue;
      }
      if (position < request.offset) {
        position += 1;
        continue;
      }
      if (items.length >= limit || bytes > LIST_BYTES) {
        return { items, governors, policies: policiesOf(this.#table, governors), next: position };
      }
      const ruler = found.kind === 'resource' ? found.row : found.container;
      if (governors.at(-1)?.ri !== ruler.ri) governors.push(governorOf(ruler));
      const item = listItem(found, target, governors.length - 1, request.attributes);
      bytes += item.path.length + 60 + (item.resource === undefined ? 0 : found.row.attributes.length + 100);
      items.push(item);
      position += 1;
    }
    return { items, governors, policies: policiesOf(this.#table, governors) };
  }

  /** In a lasting order: each resource, then, where asked for, the contentInstances of each container. Numbers are matches skipped unread. */
  *#walk(target: ResourceRow, request: ListRequest): Generator<Located | number> {
    const wantsInstances = request.ty === undefined || request.ty.includes(RESOURCE_TYPE.contentInstance);
    const wantsOthers =
      request.ty === undefined || request.ty.some((ty) => ty !== RESOURCE_TYPE.contentInstance);
    const containers: ResourceRow[] = target.ty === RESOURCE_TYPE.container ? [target] : [];
    const depth = levelOf(target.path);
    for (const row of this.#below.iterate(target.path, target.path) as IterableIterator<unknown>) {
      const resource = row as ResourceRow;
      const level = levelOf(resource.path) - depth;
      if (request.level !== undefined && level > request.level) continue;
      const isShown = request.level === undefined || level < request.level;
      if (resource.ty === RESOURCE_TYPE.container && isShown) containers.push(resource);
      if (wantsOthers && matches(request, resource.ty, resource.attributes))
        yield { kind: 'resource', row: resource };
    }
    if (!wantsInstances) return;
    let skip = wantsOthers || hasContentFilter(request) ? 0 : request.offset;
    for (const container of containers) {
      // Whole containers and the first rows of one are skipped without being read.
      if (skip >= container.cni && skip > 0) {
        skip -= container.cni;
        yield container.cni;
        continue;
      }
      if (skip > 0) yield skip;
      for (const row of this.#instances.iterate(container.id, skip) as IterableIterator<unknown>) {
        const instance = row as InstanceRow;
        if (!matches(request, RESOURCE_TYPE.contentInstance, instance.attributes)) continue;
        yield { kind: 'instance', row: instance, container };
      }
      skip = 0;
    }
  }
}

function levelOf(path: string): number {
  return path.split('/').length;
}

function hasContentFilter(request: ListRequest): boolean {
  return request.lbl !== undefined || request.crb !== undefined || request.cra !== undefined;
}

function matches(request: ListRequest, ty: number, attributes: string): boolean {
  if (request.ty !== undefined && !request.ty.includes(ty)) return false;
  if (!hasContentFilter(request)) return true;
  const { lbl, ct = '' } = JSON.parse(attributes) as { lbl?: readonly string[]; ct?: string };
  if (request.lbl !== undefined && !request.lbl.some((label) => lbl?.includes(label))) return false;
  if (request.crb !== undefined && ct >= request.crb) return false;
  return request.cra === undefined || ct > request.cra;
}

function targetOf(located: Located): { ri: string; ty: number; path: string } {
  if (located.kind === 'resource') return { ri: located.row.ri, ty: located.row.ty, path: located.row.path };
  const ri = instanceId(located.row.seq);
  return { ri, ty: RESOURCE_TYPE.contentInstance, path: `${located.container.path}/${located.row.rn ?? ri}` };
}

function resourceJson(located: Located): string {
  if (located.kind === 'instance') return located.row.attributes;
  return located.row.ty === RESOURCE_TYPE.container
    ? JSON.stringify(representationOf(located.row))
    : located.row.attributes;
}

function listItem(found: Located, target: ResourceRow, governor: number, withAttributes: boolean): ListItem {
  const { ri, ty, path } = targetOf(found);
  const { rn = '', pi = target.ri } = JSON.parse(found.row.attributes) as { rn?: string; pi?: string };
  const item = { ri, ty, path, rn, pi, governor };
  if (!withAttributes) return item;
  const resource = found.kind === 'resource' ? representationOf(found.row) : JSON.parse(found.row.attributes);
  return { ...item, resource: resource as NonNullable<ListItem['resource']> };
}
