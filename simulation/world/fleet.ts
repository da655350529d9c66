import { parseId, SYSTEM_TENANT, toTimestamp, type HostId } from '../../kernel/index.ts';
import { matchesLabels, type Tier } from '../../descriptors/index.ts';
import { hostLabels, type HostDocument, type HostFactsDocument } from '../../orchestrator/domain/index.ts';
import type { Write } from '../../orchestrator/store/index.ts';
import type { HostChoice, HostGroup } from '../scenario/types.ts';
import { createRandom, drawWeighted, type Random } from './random.ts';

/** One host of the scenario. */
export interface FleetHost {
  readonly hostId: HostId;
  readonly group: HostGroup;
  readonly tier: Tier;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFactsDocument;
  /** From an order to a running copy. */
  readonly startMilliseconds: number;
}

export interface Fleet {
  readonly hosts: readonly FleetHost[];
  /** In order of their names. */
  readonly zones: readonly string[];
  host(id: HostId): FleetHost | undefined;
  /** In order of id. */
  matching(choice: HostChoice): readonly FleetHost[];
}

/** Steps of the time that a copy takes to start: what ends together is looked at together. */
const START_STEP_MILLISECONDS = 100;

export function createFleet(groups: readonly HostGroup[], seed: number): Fleet {
  const hosts = groups.flatMap((group) => createHosts(group, createRandom(seed, `hosts ${group.name}`)));
  const byId = new Map(hosts.map((host) => [host.hostId, host]));
  return {
    hosts,
    zones: [...new Set(hosts.map(({ zone }) => zone))].toSorted(),
    host: (id) => byId.get(id),
    matching: ({ expression }) => hosts.filter(({ labels }) => matchesLabels(expression, labels)),
  };
}

function createHosts(group: HostGroup, random: Random): readonly FleetHost[] {
  const digits = String(group.count - 1).length;
  return Array.from({ length: group.count }, (_, at) => {
    const hostId = parseId<HostId>(`${group.name}-${String(at).padStart(digits, '0')}`, 'hostId');
    const zone = `z${String((at % group.zones) + 1).padStart(3, '0')}`;
    const facts = factsOf(group, hostId, { ...drawLabels(group, random), zone, group: group.name });
    const steps = Math.round((group.startSeconds * 1000 * (1 + random.next() / 2)) / START_STEP_MILLISECONDS);
    return {
      hostId,
      group,
      tier: group.tier,
      zone,
      labels: hostLabels(hostId, facts),
      facts,
      startMilliseconds: steps * START_STEP_MILLISECONDS,
    };
  });
}

function drawLabels({ labels }: HostGroup, random: Random): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : drawWeighted(random, value),
    ]),
  );
}

function factsOf(
  group: HostGroup,
  hostId: HostId,
  labels: Readonly<Record<string, string>>,
): HostFactsDocument {
  const { tier, architecture, jurisdiction, cpuMillis, memoryBytes, storageBytes, artifactTypes } = group;
  return {
    sequence: 1,
    architecture,
    tier,
    labels,
    drivers: [{ name: 'fake', artifactTypes }],
    cpu: { cores: Math.max(1, Math.round(cpuMillis / 1000)), score: 1, allocatableMillis: cpuMillis },
    memory: { totalBytes: memoryBytes, allocatableBytes: memoryBytes },
    storage: { totalBytes: storageBytes, allocatableBytes: storageBytes, medium: 'ssd' },
    address: `${hostId}.example`,
    ...(jurisdiction === undefined ? {} : { jurisdiction }),
    devices: [],
    latencies: [],
    cses: [],
    agentVersion: 'simulated',
  };
}

/** What enrolment and the first heartbeat of a host leave in the store. */
export function enrolmentWrites({ hostId, facts }: FleetHost, now: number): readonly Write[] {
  const document: HostDocument = {
    state: 'READY',
    roles: ['orchestration'],
    publicKey: {},
    enrolledAt: toTimestamp(now),
    tenants: [],
    draining: false,
    disputed: false,
    boots: [],
  };
  return [
    { op: 'put', kind: 'host', id: hostId, tenant: SYSTEM_TENANT, document },
    { op: 'put', kind: 'host-facts', id: hostId, tenant: SYSTEM_TENANT, document: facts },
  ];
}
