import type { Clock, IdSource, Logger, TenantId } from '../../kernel/index.ts';
import type { PlacementSnapshot } from '../placement/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import type { TemplateSource } from './build-workload.ts';
import {
  DEFAULT_LIMITS,
  NO_ALARMS,
  committer,
  type IndicatorSource,
  type LifecycleAlarms,
  type LifecycleContext,
  type LifecycleLimits,
} from './context.ts';
import { createCoverageIndex } from './coverage-index.ts';
import { createLifecycleEngine, type LifecycleEngine } from './engine.ts';
import { explainHostTo, type FunctionChoice } from './explain-host.ts';
import { createFunctionCatalog } from './function-catalog.ts';
import { createInstanceIndex } from './instance-index.ts';
import { createInventoryIndex, type InventoryIndex } from './inventory-index.ts';
import type { KeySource } from './key-source.ts';
import type { Liveness } from './liveness.ts';
import { createOpOccUseCases, type OpOccUseCases } from './op-occ-use-cases.ts';
import { createRelocationUseCases, type RelocationUseCases } from './relocate.ts';
import { operationProgress, viewVnfcs, type OperationProgress, type VnfcView } from './view-vnfcs.ts';
import { createAutomaticScalings, type AutomaticScalings } from './scale-automatically.ts';
import { createVnfUseCases, type VnfUseCases } from './vnf-use-cases.ts';

export interface LifecycleOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly keys: KeySource;
  readonly liveness: Liveness;
  /** Text of the files of packages that are written beside a function. */
  readonly templates: TemplateSource;
  readonly logger: Logger;
  readonly alarms?: LifecycleAlarms;
  /** What new versions are compared with old ones by; absent: there are no figures. */
  readonly indicatorsOf?: IndicatorSource;
  readonly limits?: Partial<LifecycleLimits>;
  /** Of each host of a tier, what only healing and functions of a priority above 0 get. */
  readonly reserves?: PlacementSnapshot['reserves'];
  /** Stands between the lifecycle and the inventory that it plans with: to measure, for instance. */
  readonly aroundInventory?: (inventory: InventoryIndex) => InventoryIndex;
}

/** The function lifecycle (VNFM): use cases, and the engine that carries them out. */
export interface Lifecycle {
  readonly vnf: VnfUseCases;
  readonly relocation: RelocationUseCases;
  readonly automaticScalings: AutomaticScalings;
  readonly opOccs: OpOccUseCases;
  readonly engine: LifecycleEngine;
  /** How far an operation is; undefined once it is over. */
  readonly progressOf: (operationId: string) => OperationProgress | undefined;
  /** All copies of a function, wanted or still there. */
  readonly viewVnfcs: (record: StoredRecord<'vnf-instance'>) => readonly VnfcView[];
  /** Why functions of a tenant are on a host that it may see, or are not. */
  readonly explainHost: (
    tenant: TenantId,
    host: StoredRecord<'host'>,
    choice?: FunctionChoice,
  ) => ReturnType<typeof explainHostTo>;
  /** For the service lifecycle, which plans and commits over functions. */
  readonly context: LifecycleContext;
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { store, clock, ids, keys, liveness, templates, logger } = options;
  const index = createInstanceIndex(store);
  const catalog = createFunctionCatalog(store);
  const inventory = createInventoryIndex(store, catalog, {
    clock,
    suspected: () => liveness.suspectedHosts(),
    ...(options.reserves === undefined ? {} : { reserves: options.reserves }),
  });
  const context: LifecycleContext = {
    state: store,
    index,
    coverage: createCoverageIndex({ state: store, catalog, liveness }),
    catalog,
    inventory: options.aroundInventory?.(inventory) ?? inventory,
    clock,
    ids,
    keys,
    liveness,
    templates,
    logger,
    alarms: options.alarms ?? NO_ALARMS,
    indicatorsOf: options.indicatorsOf ?? (() => []),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    commit: committer(store, index),
  };
  return {
    vnf: createVnfUseCases(context),
    relocation: createRelocationUseCases(context),
    automaticScalings: createAutomaticScalings(context),
    opOccs: createOpOccUseCases(context),
    engine: createLifecycleEngine(context, store),
    viewVnfcs: (record) => viewVnfcs(context, record),
    progressOf: (id) => operationProgress(context, id),
    explainHost: (tenant, host, choice) => explainHostTo(context, tenant, host, choice),
    context,
  };
}
