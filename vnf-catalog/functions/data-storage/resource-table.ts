import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  RESOURCE_TYPE,
  type Governor,
  type PolicyContent,
  type ResourceAttributes,
} from '../../shared/index.ts';

/** A resource that is not a contentInstance. */
export interface ResourceRow {
  readonly id: number;
  readonly ri: string;
  readonly path: string;
  readonly ty: number;
  readonly parent: number;
  readonly rev: number;
  readonly org: string;
  readonly cni: number;
  readonly cbs: number;
  readonly st: number;
  readonly attributes: string;
}

export interface InstanceRow {
  readonly seq: number;
  readonly parent: number;
  readonly rn: string | null;
  readonly size: number;
  readonly attributes: string;
}

export type Located =
  | { readonly kind: 'resource'; readonly row: ResourceRow }
  | { readonly kind: 'instance'; readonly row: InstanceRow; readonly container: ResourceRow };

const INSTANCE_ID = /^cin([0-9a-z]{1,12})$/;

export function instanceId(seq: number): string {
  return `cin${seq.toString(36)}`;
}

/** Finding resources by address, and the statements that change them. */
export class ResourceTable {
  readonly #byId: StatementSync;
  readonly #byRi: StatementSync;
  readonly #byPath: StatementSync;
  readonly #children: StatementSync;
  readonly #instance: StatementSync;
  readonly #namedInstance: StatementSync;
  readonly #latest: StatementSync;
  readonly #oldest: StatementSync;

  constructor(database: DatabaseSync) {
    this.#byId = database.prepare('SELECT * FROM resource WHERE id = ?');
    this.#byRi = database.prepare('SELECT * FROM resource WHERE ri = ?');
    this.#byPath = database.prepare('SELECT * FROM resource WHERE path = ?');
    this.#children = database.prepare('SELECT * FROM resource WHERE parent = ? AND ty = ?');
    this.#instance = database.prepare('SELECT * FROM instance WHERE seq = ?');
    this.#namedInstance = database.prepare('SELECT * FROM instance WHERE parent = ? AND rn = ?');
    this.#latest = database.prepare('SELECT * FROM instance WHERE parent = ? ORDER BY seq DESC LIMIT 1');
    this.#oldest = database.prepare('SELECT * FROM instance WHERE parent = ? ORDER BY seq LIMIT 1');
  }

  byRi(ri: string): ResourceRow | undefined {
    return this.#byRi.get(ri) as ResourceRow | undefined;
  }

  byRow(id: number): ResourceRow | undefined {
    return this.#byId.get(id) as ResourceRow | undefined;
  }

  byPath(path: string): ResourceRow | undefined {
    return this.#byPath.get(path) as ResourceRow | undefined;
  }

  subscriptionsOf(id: number): readonly ResourceRow[] {
    return this.#children.all(id, RESOURCE_TYPE.subscription) as unknown as ResourceRow[];
  }

  oldestOf(container: number): InstanceRow | undefined {
    return this.#oldest.get(container) as InstanceRow | undefined;
  }

  namedInstance(container: number, name: string): InstanceRow | undefined {
    return this.#namedInstance.get(container, name) as InstanceRow | undefined;
  }

  /** The resource at a structured or unstructured address, `la` and `ol` resolved. */
  locate(to: string, cseName: string): Located | undefined {
    const segments = to.split('/');
    const last = segments.at(-1) ?? '';
    if (segments.length > 1 && (last === 'la' || last === 'ol')) {
      const container = this.locate(segments.slice(0, -1).join('/'), cseName);
      if (container?.kind !== 'resource' || container.row.ty !== RESOURCE_TYPE.container) return undefined;
      const statement = last === 'la' ? this.#latest : this.#oldest;
      return asInstance(statement.get(container.row.id) as InstanceRow | undefined, container.row);
    }
    const [first = ''] = segments;
    if (first === cseName) return this.#locatePath(to);
    if (segments.length === 1) return this.#locateId(first);
    const base = this.byRi(first);
    return base === undefined ? undefined : this.#locatePath([base.path, ...segments.slice(1)].join('/'));
  }

  #locateId(ri: string): Located | undefined {
    const match = INSTANCE_ID.exec(ri);
    if (match === null) return asResource(this.byRi(ri));
    const row = this.#instance.get(Number.parseInt(match[1] ?? '', 36)) as InstanceRow | undefined;
    const container = row === undefined ? undefined : this.byRow(row.parent);
    return container === undefined ? undefined : asInstance(row, container);
  }

  #locatePath(path: string): Located | undefined {
    const row = this.byPath(path);
    if (row !== undefined) return { kind: 'resource', row };
    const cut = path.lastIndexOf('/');
    const container = cut < 0 ? undefined : this.byPath(path.slice(0, cut));
    if (container?.ty !== RESOURCE_TYPE.container) return undefined;
    const name = path.slice(cut + 1);
    const named = this.namedInstance(container.id, name);
    if (named !== undefined) return asInstance(named, container);
    const numbered = INSTANCE_ID.test(name) ? this.#locateId(name) : undefined;
    const isHere =
      numbered?.kind === 'instance' && numbered.row.parent === container.id && numbered.row.rn === null;
    return isHere ? numbered : undefined;
  }
}

function asResource(row: ResourceRow | undefined): Located | undefined {
  return row === undefined ? undefined : { kind: 'resource', row };
}

function asInstance(row: InstanceRow | undefined, container: ResourceRow): Located | undefined {
  return row === undefined ? undefined : { kind: 'instance', row, container };
}

/** The resource as a request sees it. */
export function representationOf(row: ResourceRow): ResourceAttributes {
  const attributes = JSON.parse(row.attributes) as ResourceAttributes;
  if (row.ty !== RESOURCE_TYPE.container) return attributes;
  return { ...attributes, st: row.st, cni: row.cni, cbs: row.cbs };
}

export function governorOf(row: ResourceRow): Governor {
  const { acpi } = JSON.parse(row.attributes) as { acpi?: readonly string[] };
  const governor = { ri: row.ri, ty: row.ty, rev: row.rev, org: row.org };
  return acpi === undefined ? governor : { ...governor, acpi };
}

/** The access control policies that govern these resources; one that does not exist (any more) grants nothing. */
export function policiesOf(
  table: ResourceTable,
  governors: readonly Governor[],
): Record<string, PolicyContent> {
  const policies: Record<string, PolicyContent> = {};
  for (const governor of governors) {
    const ids = governor.ty === RESOURCE_TYPE.acp ? [governor.ri] : (governor.acpi ?? []);
    for (const ri of ids) {
      const row = policies[ri] === undefined ? table.byRi(ri) : undefined;
      if (row?.ty === RESOURCE_TYPE.acp) policies[ri] = policyOf(row);
    }
  }
  return policies;
}

interface Rules {
  readonly acr?: PolicyContent['pv'];
}

function policyOf(row: ResourceRow): PolicyContent {
  const { pv, pvs } = JSON.parse(row.attributes) as { pv?: Rules; pvs?: Rules };
  return { rev: row.rev, pv: pv?.acr ?? [], pvs: pvs?.acr ?? [] };
}
