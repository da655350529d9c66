import { IotmanoError, SYSTEM_TENANT } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import {
  ADMINS,
  READERS,
  bodyOf,
  etagOf,
  listResponse,
  type ApiRequest,
  type ApiResponse,
  type Route,
} from '../api/route.ts';
import { isInstallationTenant } from '../domain/index.ts';
import type { StoredRecord } from '../store/index.ts';
import type { AgentReleases } from './agent-releases.ts';
import type { AgentUpgrades, UpgradeRequest, UpgradeTask } from './agent-upgrades.ts';
import { countStandings } from './plan-upgrade.ts';
import type { UpgradeEngine } from './upgrade-engine.ts';
import type { Standing, UpgradeHost } from './host-standing.ts';

type Wire = components['schemas'];

export interface AgentUpgradeRoutesOptions {
  readonly releases: AgentReleases;
  readonly upgrades: AgentUpgrades;
  readonly engine: UpgradeEngine;
}

const RELEASES = '/iotmano/v1/agent_releases';
const UPGRADES = '/iotmano/v1/agent_upgrades';
const TASKS: readonly UpgradeTask[] = ['pause', 'resume', 'cancel', 'retry', 'fail'];
/** Hosts that are shown of one upgrade, those first that somebody may have to look at. */
const MOST_HOSTS = 1000;
const SHOWN_FIRST: readonly Standing[] = ['FAILED', 'UNDER_WAY', 'AWAY', 'WAITING', 'IMPOSSIBLE', 'UPGRADED'];

/** Programs of the agent, and upgrades of agents: of those who own the installation, as hosts are. */
export function agentUpgradeRoutes(options: AgentUpgradeRoutesOptions): readonly Route[] {
  return [
    ...releaseRoutes(options),
    ...upgradeRoutes(options),
    ...TASKS.map((task) => taskRoute(options, task)),
  ];
}

function releaseRoutes({ releases }: AgentUpgradeRoutesOptions): readonly Route[] {
  const one = `${RELEASES}/{agentReleaseId}`;
  const idOf = ({ params }: ApiRequest): string => params['agentReleaseId'] ?? '';
  return [
    ofInstallation('GET', RELEASES, async (request) => listResponse(request, releases.list(), viewRelease)),
    ofInstallation(
      'POST',
      RELEASES,
      async (request) => {
        const { release, isNew } = await releases.add(request.stream, request.signal);
        const Location = `${request.origin}${RELEASES}/${release.id}`;
        return { status: isNew ? 201 : 200, headers: { Location }, body: viewRelease(release) };
      },
      'stream',
    ),
    ofInstallation('GET', one, async (request) => ({
      status: 200,
      body: viewRelease(releases.get(idOf(request))),
    })),
    ofInstallation('DELETE', one, async (request) => {
      await releases.remove(idOf(request));
      return { status: 204 };
    }),
  ];
}

function upgradeRoutes(options: AgentUpgradeRoutesOptions): readonly Route[] {
  const { upgrades, engine } = options;
  const list: Route['handle'] = async (request) =>
    // Those that are over say little by hosts as these are now.
    listResponse(request, upgrades.list(), (record) =>
      viewUpgrade(record, record.document.state === 'PROCESSING' ? engine.hostsOf(record) : undefined),
    );
  const create = ofInstallation('POST', UPGRADES, (request) => createUpgrade(options, request), 'json');
  return [
    ofInstallation('GET', UPGRADES, list),
    { ...create, idempotent: true },
    ofInstallation('GET', `${UPGRADES}/{agentUpgradeId}`, (request) => showUpgrade(options, request)),
  ];
}

async function createUpgrade(
  { upgrades, engine }: AgentUpgradeRoutesOptions,
  request: ApiRequest,
): Promise<ApiResponse> {
  const answer = (record: StoredRecord<'agent-upgrade'>): ApiResponse => ({
    status: 201,
    headers: { Location: `${request.origin}${UPGRADES}/${record.id}`, ETag: etagOf(record) },
    body: viewUpgrade(record, engine.hostsOf(record)),
  });
  const wanted = bodyOf<Wire['CreateAgentUpgradeRequest']>(request) as UpgradeRequest;
  return answer(upgrades.create(wanted, (draft) => request.idempotencyWrites(answer(draft))));
}

async function showUpgrade(
  { upgrades, engine }: AgentUpgradeRoutesOptions,
  { params }: ApiRequest,
): Promise<ApiResponse> {
  const record = upgrades.get(params['agentUpgradeId'] ?? '');
  const hosts = engine.hostsOf(record);
  const shown = hosts.toSorted((a, b) => SHOWN_FIRST.indexOf(a.standing) - SHOWN_FIRST.indexOf(b.standing));
  return {
    status: 200,
    headers: { ETag: etagOf(record) },
    body: { ...viewUpgrade(record, hosts), hosts: shown.slice(0, MOST_HOSTS).map(viewHost) },
  };
}

function taskRoute({ upgrades, engine }: AgentUpgradeRoutesOptions, task: UpgradeTask): Route {
  return ofInstallation('POST', `${UPGRADES}/{agentUpgradeId}/${task}`, async ({ params }) => {
    upgrades.act(params['agentUpgradeId'] ?? '', task);
    engine.settle();
    return { status: 204 };
  });
}

/** Everybody of the installation may read, and its administrators change. */
function ofInstallation(
  method: Route['method'],
  path: string,
  handle: Route['handle'],
  body: Route['body'] = 'none',
): Route {
  return {
    method,
    path,
    access: method === 'GET' ? READERS : ADMINS,
    body,
    handle: (request) => {
      if (isInstallationTenant(request.caller.tenant)) return handle(request);
      throw new IotmanoError(
        'forbidden',
        `agents belong to the tenant ${SYSTEM_TENANT}; tenant ${request.caller.tenant} uses the hosts that serve it`,
      );
    },
  };
}

function viewRelease({ id, document }: StoredRecord<'agent-release'>): Wire['AgentRelease'] {
  return { id, ...document };
}

function viewUpgrade(
  { id, document }: StoredRecord<'agent-upgrade'>,
  hosts: readonly UpgradeHost[] | undefined,
): Wire['AgentUpgrade'] {
  const { agentReleaseId, version, policy, state, isPaused = false, wavesDone, error, attempt } = document;
  const { startTime, stateEnteredTime, bakingSince } = document;
  const { waves, ...rest } = policy;
  return {
    id,
    agentReleaseId,
    version,
    operationState: state,
    startTime,
    stateEnteredTime,
    isPaused,
    attempt,
    ...rest,
    waves: waves.map((wave) => ({ ...wave })),
    wavesDone,
    ...(bakingSince === undefined ? {} : { bakingSince }),
    ...(hosts === undefined ? {} : { counts: { ...countStandings(hosts) } }),
    ...(error === undefined ? {} : { error: { ...error } }),
  };
}

function viewHost({ hostId, standing, version, reason }: UpgradeHost): Wire['AgentUpgradeHost'] {
  return { hostId, standing, version, ...(reason === undefined ? {} : { reason }) };
}
