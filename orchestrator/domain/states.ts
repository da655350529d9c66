/** Every state machine of the orchestrator, as tables. docs/states.md is generated from them. */
import type { TransitionTable } from '../../kernel/index.ts';

export type OnboardingState = 'CREATED' | 'UPLOADING' | 'PROCESSING' | 'ONBOARDED' | 'ERROR';
export type OnboardingEvent = 'upload' | 'received' | 'accepted' | 'failed';

/** SOL005 clause 9.5 (VNF packages) and 5.5 (NSDs). A failed upload may be repeated. */
export const ONBOARDING = {
  CREATED: { upload: 'UPLOADING' },
  UPLOADING: { received: 'PROCESSING', failed: 'ERROR' },
  PROCESSING: { accepted: 'ONBOARDED', failed: 'ERROR' },
  ONBOARDED: {},
  ERROR: { upload: 'UPLOADING' },
} as const satisfies TransitionTable<OnboardingState, OnboardingEvent>;

export type InstantiationState = 'NOT_INSTANTIATED' | 'INSTANTIATED';

export type LcmOperationState =
  'STARTING' | 'PROCESSING' | 'COMPLETED' | 'FAILED_TEMP' | 'FAILED' | 'ROLLING_BACK' | 'ROLLED_BACK';
export type LcmOperationEvent =
  | 'grant'
  | 'refuse'
  | 'complete'
  | 'failTemporarily'
  | 'retry'
  | 'rollback'
  | 'rolledBack'
  | 'fail'
  | 'cancel';

/** SOL003 clause 5.6.2. */
export const VNF_LCM_OPERATION = {
  STARTING: { grant: 'PROCESSING', refuse: 'ROLLED_BACK', cancel: 'ROLLED_BACK' },
  PROCESSING: { complete: 'COMPLETED', failTemporarily: 'FAILED_TEMP', cancel: 'FAILED_TEMP' },
  FAILED_TEMP: { retry: 'PROCESSING', rollback: 'ROLLING_BACK', fail: 'FAILED' },
  ROLLING_BACK: { rolledBack: 'ROLLED_BACK', failTemporarily: 'FAILED_TEMP', cancel: 'FAILED_TEMP' },
  COMPLETED: {},
  FAILED: {},
  ROLLED_BACK: {},
} as const satisfies TransitionTable<LcmOperationState, LcmOperationEvent>;

export type NsLcmOperationState = Exclude<LcmOperationState, 'STARTING'> | 'PARTIALLY_COMPLETED';
export type NsLcmOperationEvent =
  Exclude<LcmOperationEvent, 'grant' | 'refuse'> | 'completePartially' | 'continue';

/** SOL005 clause 6.6.2. */
export const NS_LCM_OPERATION = {
  PROCESSING: {
    complete: 'COMPLETED',
    completePartially: 'PARTIALLY_COMPLETED',
    failTemporarily: 'FAILED_TEMP',
    cancel: 'FAILED_TEMP',
  },
  PARTIALLY_COMPLETED: {},
  FAILED_TEMP: { retry: 'PROCESSING', continue: 'PROCESSING', rollback: 'ROLLING_BACK', fail: 'FAILED' },
  ROLLING_BACK: { rolledBack: 'ROLLED_BACK', failTemporarily: 'FAILED_TEMP', cancel: 'FAILED_TEMP' },
  COMPLETED: {},
  FAILED: {},
  ROLLED_BACK: {},
} as const satisfies TransitionTable<NsLcmOperationState, NsLcmOperationEvent>;

export type HostState = 'ENROLLED' | 'READY' | 'SUSPECT' | 'LOST' | 'DRAINING' | 'DISPUTED';
export type HostEvent = 'renewed' | 'lapsed' | 'givenUp' | 'drain' | 'undrain' | 'dispute' | 'settle';

export const HOST = {
  ENROLLED: { renewed: 'READY', dispute: 'DISPUTED' },
  READY: { lapsed: 'SUSPECT', drain: 'DRAINING', dispute: 'DISPUTED' },
  SUSPECT: { renewed: 'READY', givenUp: 'LOST', dispute: 'DISPUTED' },
  LOST: { renewed: 'READY', dispute: 'DISPUTED' },
  DRAINING: { undrain: 'READY', lapsed: 'SUSPECT', dispute: 'DISPUTED' },
  DISPUTED: { settle: 'ENROLLED' },
} as const satisfies TransitionTable<HostState, HostEvent>;

export type VnfcState =
  | 'SCHEDULED'
  | 'PENDING'
  | 'STARTING'
  | 'RUNNING'
  | 'UNHEALTHY'
  | 'STOPPING'
  | 'STOPPED'
  | 'COMPLETED'
  | 'FAILED'
  | 'LOST';
export type VnfcEvent =
  | 'schedule'
  | 'due'
  | 'start'
  | 'ready'
  | 'unready'
  | 'exit'
  | 'restart'
  | 'giveUp'
  | 'finish'
  | 'stop'
  | 'stopped'
  | 'lose'
  | 'found';

/** SCHEDULED: between two runs of a schedule, however the last one ended; `schedule` is its end, `due` the next one's time. */
export const VNFC = {
  SCHEDULED: { due: 'PENDING', stop: 'STOPPED', lose: 'LOST' },
  PENDING: { schedule: 'SCHEDULED', start: 'STARTING', giveUp: 'FAILED', stop: 'STOPPING', lose: 'LOST' },
  STARTING: {
    ready: 'RUNNING',
    schedule: 'SCHEDULED',
    exit: 'PENDING',
    giveUp: 'FAILED',
    finish: 'COMPLETED',
    stop: 'STOPPING',
    lose: 'LOST',
  },
  RUNNING: {
    unready: 'UNHEALTHY',
    schedule: 'SCHEDULED',
    exit: 'PENDING',
    giveUp: 'FAILED',
    finish: 'COMPLETED',
    stop: 'STOPPING',
    lose: 'LOST',
  },
  UNHEALTHY: {
    ready: 'RUNNING',
    exit: 'PENDING',
    giveUp: 'FAILED',
    finish: 'COMPLETED',
    stop: 'STOPPING',
    lose: 'LOST',
  },
  STOPPING: { stopped: 'STOPPED', schedule: 'SCHEDULED', lose: 'LOST' },
  STOPPED: { restart: 'PENDING' },
  COMPLETED: { restart: 'PENDING' },
  FAILED: { restart: 'PENDING', stop: 'STOPPING' },
  LOST: { found: 'RUNNING', stop: 'STOPPING' },
} as const satisfies TransitionTable<VnfcState, VnfcEvent>;

export type AgentUpgradeState = 'PROCESSING' | 'COMPLETED' | 'FAILED_TEMP' | 'FAILED';
export type AgentUpgradeEvent = 'complete' | 'failTemporarily' | 'cancel' | 'retry' | 'fail';

/** As of any operation, but for a way back: that is an upgrade to the version before. */
export const AGENT_UPGRADE = {
  PROCESSING: { complete: 'COMPLETED', failTemporarily: 'FAILED_TEMP', cancel: 'FAILED_TEMP' },
  FAILED_TEMP: { retry: 'PROCESSING', fail: 'FAILED' },
  COMPLETED: {},
  FAILED: {},
} as const satisfies TransitionTable<AgentUpgradeState, AgentUpgradeEvent>;

/** What docs/states.md lists. */
export const STATE_MACHINES = {
  'Package and NSD onboarding': ONBOARDING,
  'VNF LCM operation': VNF_LCM_OPERATION,
  'NS LCM operation': NS_LCM_OPERATION,
  Host: HOST,
  'VNFC instance': VNFC,
  'Upgrade of agents': AGENT_UPGRADE,
} as const;
