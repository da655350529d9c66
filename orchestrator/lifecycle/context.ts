import type { Clock, HostId, IdSource, Logger, VnfInstanceId, VnfcInstanceId } from '../../kernel/index.ts';
import type { StateStore, StateView, Write } from '../store/index.ts';
import type { TemplateSource } from './build-workload.ts';
import type { CoverageIndex } from './coverage-index.ts';
import type { FunctionCatalog } from './function-catalog.ts';
import type { InstanceIndex } from './instance-index.ts';
import type { InventoryIndex } from './inventory-index.ts';
import type { KeySource } from './key-source.ts';
import type { Liveness } from './liveness.ts';

/** How patient the engine is. Milliseconds. */
export interface LifecycleLimits {
  /** Between looks at everything, whatever was or was not heard. */
  readonly tickMilliseconds: number;
  /** An operation in which nothing moves for so long fails temporarily. */
  readonly stallMilliseconds: number;
  /** Between two automatic attempts to heal one function; doubles up to 64 times as long while they do not succeed. */
  readonly healBackoffMilliseconds: number;
  /** For so long a copy goes on serving when everybody who is bound to it has been told to use others. */
  readonly retireMilliseconds: number;
  /** Instances of lower priority that may have to make room for one plan; 0: none ever has. */
  readonly maxEvictions: number;
}

export const DEFAULT_LIMITS: LifecycleLimits = {
  tickMilliseconds: 500,
  stallMilliseconds: 120_000,
  healBackoffMilliseconds: 5_000,
  retireMilliseconds: 2_000,
  maxEvictions: 4,
};

/** Names of alarms that the function lifecycle raises. */
/** Of what runs by a schedule: stands until a run of the copies that failed completes. */
export const RUN_ALARM = 'scheduled-run-failed';

export const LIFECYCLE_ALARMS = [
  'instance-failed',
  'healing-failed',
  'no-host-for-healing',
  'scaling-failed',
] as const;

/** A condition of a function that an operator should know of. Raising it again changes nothing. */
export interface LifecycleAlarm {
  readonly vnfInstanceId: VnfInstanceId;
  readonly hostId?: HostId;
  readonly name: (typeof LIFECYCLE_ALARMS)[number] | typeof RUN_ALARM;
  readonly text: string;
}

/** Where alarms of functions go; monitoring keeps them. */
export interface LifecycleAlarms {
  raise(alarm: LifecycleAlarm): void;
  /** The function is well again, or not instantiated any more: at each look at one that is, so it has to be cheap. */
  clear(vnfInstanceId: VnfInstanceId, names: readonly LifecycleAlarm['name'][]): void;
}

/** Recent figures of the instances of a function, as monitoring has them. */
export type IndicatorSource = (vnfInstanceId: VnfInstanceId) => readonly {
  readonly name: string;
  readonly instances: readonly { readonly vnfcInstanceId: VnfcInstanceId; readonly value: number }[];
}[];

export const NO_ALARMS: LifecycleAlarms = { raise: () => {}, clear: () => {} };

/** What every part of the lifecycle leans on. */
export interface LifecycleContext {
  /** The newest accepted state. */
  readonly state: StateView;
  readonly index: InstanceIndex;
  readonly coverage: CoverageIndex;
  readonly catalog: FunctionCatalog;
  readonly inventory: InventoryIndex;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly keys: KeySource;
  readonly liveness: Liveness;
  readonly templates: TemplateSource;
  readonly alarms: LifecycleAlarms;
  readonly indicatorsOf: IndicatorSource;
  readonly limits: LifecycleLimits;
  readonly logger: Logger;
  /** Commits, and keeps the index true. Throws as the store does. */
  commit(writes: readonly Write[], verify?: (state: StateView) => void): void;
}

/** Commits through the store and tells the index. */
export function committer(store: StateStore, index: InstanceIndex): LifecycleContext['commit'] {
  return (writes, verify) => {
    if (writes.length === 0) return;
    store.commit(writes, verify);
    for (const { kind, id } of writes) index.touch(kind, id);
  };
}
