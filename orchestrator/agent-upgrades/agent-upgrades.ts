import { IotmanoError, SYSTEM_TENANT, toTimestamp, type Clock, type IdSource } from '../../kernel/index.ts';
import { parseExpression, type UpgradeWave } from '../../descriptors/index.ts';
import type { AgentUpgradeDocument, AgentUpgradePolicy } from '../domain/index.ts';
import type { StateStore, StoredRecord, Write } from '../store/index.ts';
import type { AgentReleases } from './agent-releases.ts';
import { requireSome } from './select-hosts.ts';
import { clearStopped } from './stop-alarm.ts';
import { moveUpgrade, openUpgrade, problemOf, updateUpgrade, withdrawnOrders } from './upgrade-records.ts';

/** What an administrator says of an upgrade. */
export type UpgradeRequest = Partial<AgentUpgradePolicy> & { readonly agentReleaseId: string };

export type UpgradeTask = 'pause' | 'resume' | 'cancel' | 'retry' | 'fail';

export interface AgentUpgradesOptions {
  readonly store: StateStore;
  readonly releases: Pick<AgentReleases, 'get'>;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Use cases of upgrades of agents: they note what is intended, and the engine carries it out. */
export interface AgentUpgrades {
  /** @param alongside goes into the same commit @throws IotmanoError `conflict` while another one is open, `unprocessable` (expressions, or a choice of no host) */
  create(
    request: UpgradeRequest,
    alongside: (draft: StoredRecord<'agent-upgrade'>) => readonly Write[],
  ): StoredRecord<'agent-upgrade'>;
  list(): Iterable<StoredRecord<'agent-upgrade'>>;
  /** @throws IotmanoError `not-found` */
  get(id: string): StoredRecord<'agent-upgrade'>;
  /** @throws IotmanoError `not-found`, `illegal-transition` */
  act(id: string, task: UpgradeTask): void;
}

const DEFAULTS: AgentUpgradePolicy = {
  waves: [{ count: 1 }, { share: 0.1 }],
  bakeSeconds: 0,
  maxFailed: 0,
  maxAtOnce: 50,
  confirmWithinSeconds: 120,
  giveUpAfterSeconds: 900,
};

export function createAgentUpgrades({ store, releases, clock, ids }: AgentUpgradesOptions): AgentUpgrades {
  function get(id: string): StoredRecord<'agent-upgrade'> {
    const found = store.get('agent-upgrade', id);
    if (found !== undefined) return found;
    throw new IotmanoError(
      'not-found',
      `there is no upgrade of agents ${id}; list them to see which there are`,
    );
  }

  return {
    get,
    list: () => store.list('agent-upgrade'),
    create({ agentReleaseId, ...said }, alongside) {
      requireNoneOpen(store);
      const { version, digest, sizeBytes } = releases.get(agentReleaseId).document;
      const policy = policyOf(said);
      requireSome(store, policy.select);
      const now = toTimestamp(clock.now());
      const document: AgentUpgradeDocument = {
        agentReleaseId,
        version,
        artifact: { digest, sizeBytes },
        policy,
        state: 'PROCESSING',
        startTime: now,
        stateEnteredTime: now,
        attempt: 1,
        wavesDone: 0,
      };
      const record = { kind: 'agent-upgrade', id: ids.uuid(), tenant: SYSTEM_TENANT, document } as const;
      const draft = { ...record, revision: store.acceptedRevision + 1 };
      store.commit([{ op: 'create', ...record }, ...alongside(draft)]);
      return get(record.id);
    },
    act(id, task) {
      const record = get(id);
      const { document } = record;
      if (task === 'pause' || task === 'resume') {
        requireProcessing(record, task);
        const { isPaused: _isPaused, ...rest } = document;
        store.commit([updateUpgrade(record, task === 'pause' ? { ...rest, isPaused: true } : rest)]);
        return;
      }
      const { bakingSince: _bakingSince, ...rest } = moveUpgrade(record, task, clock.now());
      const next =
        task === 'retry' ? { ...rest, attempt: document.attempt + 1 } : withReason(rest, task, document);
      store.commit([
        updateUpgrade(record, next),
        ...(task === 'cancel' ? withdrawnOrders(store, id, () => true) : clearStopped(store, clock.now())),
      ]);
    },
  };
}

function withReason(
  next: AgentUpgradeDocument,
  task: UpgradeTask,
  { error }: AgentUpgradeDocument,
): AgentUpgradeDocument {
  if (task !== 'cancel') return error === undefined ? next : { ...next, error };
  return { ...next, error: problemOf('it was cancelled; hosts that have not begun keep their version') };
}

function requireNoneOpen(store: StateStore): void {
  const open = openUpgrade(store);
  if (open === undefined) return;
  throw new IotmanoError(
    'conflict',
    `upgrade ${open.id} to version ${open.document.version} is ${open.document.state}; let it complete, or cancel and fail it, first`,
  );
}

function requireProcessing({ id, document }: StoredRecord<'agent-upgrade'>, task: UpgradeTask): void {
  if (document.state === 'PROCESSING') return;
  throw new IotmanoError(
    'illegal-transition',
    `upgrade of agents ${id} is ${document.state}; ${task} is for one that is PROCESSING`,
    { state: document.state },
  );
}

/** @throws IotmanoError `unprocessable` where an expression is none */
function policyOf(said: Partial<AgentUpgradePolicy>): AgentUpgradePolicy {
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  const policy: AgentUpgradePolicy = { ...DEFAULTS, ...given };
  if (policy.select !== undefined) requireExpression('select', policy.select);
  policy.waves.forEach(({ label }: UpgradeWave, index) => {
    if (label !== undefined) requireExpression(`waves[${index}].label`, label);
  });
  return policy;
}

function requireExpression(place: string, text: string): void {
  const [fault] = parseExpression(text).faults;
  if (fault !== undefined)
    throw new IotmanoError('unprocessable', `${place}: "${text}": ${fault.message}; ${fault.remedy}`, {
      pointer: `/${place}`,
    });
}
