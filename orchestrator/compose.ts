import { randomBytes } from 'node:crypto';
import { Registry, collectDefaultMetrics } from 'prom-client';
import type { Clock, IdSource, Logger } from '../kernel/index.ts';
import {
  checkService,
  readPackage,
  type Fault,
  type IoTFunctionDescriptor,
  type IoTServiceDescriptor,
  type SignaturePolicy,
  type Tier,
} from '../descriptors/index.ts';
import {
  accessTokenRoutes,
  apiVersionRoutes,
  createApiMetrics,
  createAuthenticator,
  eventRoutes,
  healthRoutes,
  metricsRoutes,
  nsLcmRoutes,
  oauthRoutes,
  placementPlanRoutes,
  vnfLcmRoutes,
  type Answered,
  type Authenticate,
  type ApiDocuments,
  type Route,
} from './api/index.ts';
import {
  agentUpgradeRoutes,
  createAgentReleases,
  createAgentUpgrades,
  createUpgradeEngine,
} from './agent-upgrades/index.ts';
import type { HostAuthority } from '../pki/index.ts';
import { createDiagnostics } from './diagnostics/index.ts';
import { createInventory } from './inventory/index.ts';
import { createLifecycle, randomKeys } from './lifecycle/index.ts';
import {
  createMco,
  enrolmentTokenRoutes,
  hostExplanationRoutes,
  hostRoutes,
  type MakeNatsCredential,
  type Mco,
} from './mco/index.ts';
import {
  createConditionAlarms,
  createFunctionAlarms,
  createMonitoring,
  monitoringRoutes,
  registerMonitoringMetrics,
  watchConditions,
} from './monitoring/index.ts';
import { createOnboarding, packageRoutes, type ContentFiles } from './packages/index.ts';
import { createScaling, type ScalingLimits } from './scaling/index.ts';
import { createServices } from './services/index.ts';
import { createSites, createVimUseCases, vimRoutes, type OpenDriver, type SecretBox } from './sites/index.ts';
import type { StateStore } from './store/index.ts';

export interface ComposeOptions {
  readonly store: StateStore;
  readonly files: ContentFiles;
  readonly documents: ApiDocuments;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Logger;
  /** Identifier of the M2M service provider: `//example.org`. */
  readonly m2mSpId: string;
  /** Absent: signatures of packages are not looked at. */
  readonly packageSignatures?: Omit<SignaturePolicy, 'clock'>;
  /** For credentials of VIMs. */
  readonly secrets: SecretBox;
  readonly openDriver: OpenDriver;
  /** Issues certificates to hosts. */
  readonly hostAuthority?: HostAuthority;
  readonly placement?: PlacementSettings;
  readonly scaling?: ScalingLimits;
  /** Where hosts may enrol over NATS. */
  readonly natsCredential?: MakeNatsCredential;
}

/** What an operator says of placement as a whole. */
export interface PlacementSettings {
  /** Share of CPU and memory of each host of a tier, 0 to 1, that only healing and functions of a priority above 0 get. */
  readonly reserves?: Readonly<Partial<Record<Tier, number>>>;
  /** Instances of lower priority that may have to make room for one plan; 0: none ever has. */
  readonly maxEvictions?: number;
}

/** The orchestrator without a socket: every room, wired. */
export interface Composition {
  /** Every route there is; the security matrix and the bad-input test walk this list. */
  readonly routes: readonly Route[];
  /** For bindings of Mco beside HTTP. */
  readonly mco: Mco;
  readonly authenticate: Authenticate;
  readonly onAnswer: (answer: Answered) => void;
  /** Takes up what an earlier process left, and starts the loops. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Wires the rooms over one store. To be called before anything is committed by this leader. */
export function compose(options: ComposeOptions): Composition {
  const {
    store,
    files,
    documents,
    clock,
    ids,
    log,
    m2mSpId,
    packageSignatures,
    secrets,
    placement = {},
  } = options;
  const signature = packageSignatures === undefined ? {} : { signature: { ...packageSignatures, clock } };
  const stopping = new AbortController();
  const shortLivedKey = randomBytes(32);
  let isReady = false;
  let watching: Promise<void> | undefined;
  let endOfConditions = (): void => {};

  const inventory = createInventory({
    store,
    clock,
    ids,
    log: log.child({ room: 'inventory' }),
    random: randomBytes,
  });
  const monitoring = createMonitoring({ store, clock });
  const functionAlarms = createFunctionAlarms(store, clock);
  const lifecycle = createLifecycle({
    store,
    clock,
    ids,
    keys: randomKeys,
    liveness: inventory,
    templates: ({ digest }) => files.readArtifactText(digest),
    logger: log.child({ room: 'lifecycle' }),
    alarms: functionAlarms,
    indicatorsOf: monitoring.indicatorsOf,
    ...(placement.reserves === undefined ? {} : { reserves: placement.reserves }),
    ...(placement.maxEvictions === undefined ? {} : { limits: { maxEvictions: placement.maxEvictions } }),
  });
  const services = createServices({ store, lifecycle, clock, ids, logger: log.child({ room: 'services' }) });
  const scaling = createScaling({
    store,
    lifecycle,
    services,
    monitoring,
    clock,
    log: log.child({ room: 'scaling' }),
    alarms: functionAlarms,
    ...(options.scaling === undefined ? {} : { limits: options.scaling }),
  });
  const onboarding = createOnboarding({
    store,
    files,
    clock,
    ids,
    read: (path, readOptions) => readPackage(path, { ...readOptions, ...signature }),
    checkService: checkAgainstOnboarded,
    log: log.child({ room: 'packages' }),
  });
  const sites = createSites({
    store,
    clock,
    ids,
    inventory,
    monitoring,
    secrets,
    openDriver: options.openDriver,
    log: log.child({ room: 'sites' }),
  });
  const vims = createVimUseCases({
    store,
    clock,
    ids,
    inventory,
    secrets,
    checkRegistration: registrationCheck(documents),
    requireSite: (vimId) => sites.requireSite(vimId),
  });
  const diagnostics = createDiagnostics({
    store,
    clock,
    ids,
    log: log.child({ room: 'diagnostics' }),
    siteOf: (vimId) => sites.requireSite(vimId),
  });
  const mco = createMco({
    store,
    clock,
    log: log.child({ room: 'mco' }),
    inventory,
    monitoring,
    artifacts: files,
    diagnostics: diagnostics.agents,
    m2mSpId,
    ...(options.hostAuthority === undefined ? {} : { hostAuthority: options.hostAuthority }),
  });
  const releases = createAgentReleases({ store, files, clock, ids });
  const upgrades = createAgentUpgrades({ store, releases, clock, ids });
  const upgradeEngine = createUpgradeEngine({
    store,
    inventory,
    clock,
    log: log.child({ room: 'agent-upgrades' }),
  });
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  registerMonitoringMetrics(metrics, monitoring, store);

  return {
    mco,
    authenticate: createAuthenticator(store, clock, shortLivedKey),
    onAnswer: createApiMetrics(metrics),
    routes: [
      ...healthRoutes(() => isReady),
      ...metricsRoutes(metrics),
      ...apiVersionRoutes(documents),
      ...oauthRoutes(store, clock, shortLivedKey),
      ...accessTokenRoutes({ store, clock, ids, random: randomBytes }),
      ...eventRoutes({ store, clock }),
      ...packageRoutes({ state: store, onboarding, files }),
      ...vnfLcmRoutes(lifecycle),
      ...nsLcmRoutes(services),
      ...placementPlanRoutes(lifecycle),
      ...hostRoutes({ store, clock, inventory }),
      ...hostExplanationRoutes(store, lifecycle),
      ...agentUpgradeRoutes({ releases, upgrades, engine: upgradeEngine }),
      ...enrolmentTokenRoutes(inventory, options.natsCredential),
      ...vimRoutes({ store, sites, vims }),
      ...diagnostics.routes,
      ...monitoringRoutes(monitoring, store),
      ...scaling.routes,
      ...mco.routes,
    ],
    start: async () => {
      diagnostics.start();
      await onboarding.recover();
      releases.start();
      upgradeEngine.start();
      lifecycle.engine.start();
      services.engine.start();
      scaling.start();
      const alarms = createConditionAlarms(store, clock);
      endOfConditions = watchConditions({ store, clock, monitoring, alarms });
      await sites.start();
      watching = inventory.run(stopping.signal);
      isReady = true;
    },
    stop: async () => {
      isReady = false;
      stopping.abort();
      await Promise.all([
        watching,
        lifecycle.engine.stop(),
        services.engine.stop(),
        scaling.stop(),
        upgradeEngine.stop(),
        onboarding.close(),
        sites.stop(),
      ]);
      endOfConditions();
      monitoring.close();
    },
  };
}

/** What the document says of a registration, for one that a patch leads to. */
function registrationCheck(
  documents: ApiDocuments,
): (value: unknown) => { readonly pointer: string; readonly text: string } | undefined {
  const check = documents.operation('POST', '/iotmano/v1/vim_connections')?.bodies[0]?.check;
  return (value) => check?.(value);
}

/** A service is checked against the functions that its tenant has onboarded. */
function checkAgainstOnboarded(
  service: IoTServiceDescriptor,
  functions: readonly IoTFunctionDescriptor[],
): readonly Fault[] {
  return checkService(service, (invariantId) =>
    functions.filter(({ metadata }) => metadata.invariantId === invariantId),
  ).faults;
}
