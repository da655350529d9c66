/** What the driver writes down in annotations, so that any driver of the scope knows it. */
import type { TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { WorkloadKey, WorkloadSpec } from '../contract.ts';

/** What a copy was made from. A pod whose record is another one than its set's is on its way out. */
export interface CopyRecord {
  readonly key: WorkloadKey;
  readonly slot: number;
  readonly epoch: number;
  readonly specHash: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly image: string;
  /** First word of the command. */
  readonly program?: string;
  readonly memoryBytes: number;
  /** Hash of the bindings where a change of them is another copy. */
  readonly bindings?: string;
}

/** What a slot is besides its copy. */
export interface SlotRecord {
  readonly restart: WorkloadSpec['restart'];
  readonly graceSeconds: number;
  /** Of a function that reloads its bindings. */
  readonly bindings?: {
    readonly hash: string;
    /** When the server took over the latest change; absent: they are as every copy has found them. */
    readonly changedAt?: string;
  };
  /** Name and number of the ports that are published. */
  readonly published: readonly string[];
  /** Why it cannot be started yet. */
  readonly obstacle?: string;
}

/** What the driver has decided and counted for one copy. */
export interface SupervisionRecord {
  readonly epoch: number;
  readonly specHash: string;
  /** The pod that restarts are counted for, and those of the pods before it. */
  readonly pod?: string;
  readonly restartsBefore: number;
  /** It was given up. */
  readonly verdict?: {
    readonly reason: string;
    readonly since: string;
    readonly restarts: number;
    readonly exitCode?: number;
  };
}

export interface WorkloadRecord {
  readonly key: WorkloadKey;
  readonly specHash: string;
}

type Annotated =
  { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } } | undefined;

/** The content of an annotation; undefined where there is none, or where somebody has made it unreadable. */
function readNote(object: Annotated, name: string): Readonly<Record<string, unknown>> | undefined {
  const text = object?.metadata?.annotations?.[name];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

export function readCopy(object: Annotated, name: string): CopyRecord | undefined {
  const note = readNote(object, name);
  const key = readKey(note?.['key']);
  if (note === undefined || key === undefined) return undefined;
  const isWhole = Number.isInteger(note['slot']) && Number.isInteger(note['epoch']);
  if (!isWhole || typeof note['specHash'] !== 'string' || typeof note['ports'] !== 'object') return undefined;
  return { ...note, key } as unknown as CopyRecord;
}

export function readSlot(object: Annotated, name: string): SlotRecord | undefined {
  const note = readNote(object, name);
  if (typeof note?.['restart'] !== 'object' || !Array.isArray(note['published'])) return undefined;
  return note as unknown as SlotRecord;
}

export function readSupervision(object: Annotated, name: string): SupervisionRecord | undefined {
  const note = readNote(object, name);
  if (typeof note?.['specHash'] !== 'string' || !Number.isInteger(note['restartsBefore'])) return undefined;
  return note as unknown as SupervisionRecord;
}

export function readWorkload(object: Annotated, name: string): WorkloadRecord | undefined {
  const note = readNote(object, name);
  const key = readKey(note?.['key']);
  if (key === undefined || typeof note?.['specHash'] !== 'string') return undefined;
  return { key, specHash: note['specHash'] };
}

function readKey(value: unknown): WorkloadKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { tenant, vnfInstanceId, unit, generation } = value as Readonly<Record<string, unknown>>;
  if (typeof tenant !== 'string' || typeof vnfInstanceId !== 'string' || typeof unit !== 'string')
    return undefined;
  if (typeof generation !== 'number') return undefined;
  return { tenant: tenant as TenantId, vnfInstanceId: vnfInstanceId as VnfInstanceId, unit, generation };
}
