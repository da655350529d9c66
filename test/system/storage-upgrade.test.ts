/** The storage of a virtual CSE is brought to other versions while devices write: what was acknowledged is there afterwards, once and in order. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argumentsOf, processesOf } from '../../scripts/demo/processes.ts';
import { buildCatalog, buildVariant } from '../../vnf-catalog/build-packages.ts';
import {
  accountStored,
  playSensors,
  readStored,
  registerSensors,
  type Sensor,
  type StoredValue,
} from '../../vnf-catalog/demo-devices.ts';
import { isServiceMissing } from '../kit/services.ts';
import { createTestSystem, eventually, type Copy, type TestSystem } from '../kit/test-system.ts';

const SERVICE = 'virtual-cse';
const PRODUCT = 'data-storage';
const WRITERS = 8;
/** Of each writer; more than any test takes. */
const NUMBERS = 20_000;
/** A value of each writer every 50 ms, or when the one before it has been acknowledged. */
const SPEED = 1200;
const DEADLINE_MILLISECONDS = 30_000;
/** What is written before and after each change, so that there is a before and an after. */
const SOME = 200;

/** A copy of the storage, as far as versions matter. */
type StorageCopy = Copy & { readonly softwareVersion: string };

interface Version {
  readonly softwareVersion: string;
  /** A version that never gets well: it does nothing at all. */
  readonly isBad?: boolean;
}

/** What the writers and the storage know after a change. */
interface Findings {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly twice: number;
  readonly outOfOrder: readonly string[];
  readonly refused: readonly string[];
  /** Requests that had no answer, or a passing trouble as answer, and were sent again under the same X-M2M-RI. */
  readonly failed: number;
  /** Longest time without any acknowledgement. */
  readonly gapSeconds: number;
}

/** Numbered values: `row` is the number. */
function writersOf(test: string): readonly Sensor[] {
  const begin = Date.UTC(2030, 0, 1);
  const rows = Array.from({ length: NUMBERS }, (_, row) => ({
    row,
    time: new Date(begin + row * 60_000).toISOString().slice(0, 19),
    value: row,
  }));
  return Array.from({ length: WRITERS }, (_, index) => {
    const name = `${test}-${index}`;
    return { name, originator: `C${name}`, container: `cse-in/${name}/values`, rows };
  });
}

/** Writers of which a value comes after one with a higher number. */
function outOfOrder(stored: readonly StoredValue[]): readonly string[] {
  const last = new Map<string, number>([]);
  return stored.flatMap(({ sensor, row }) => {
    const before = last.get(sensor) ?? -1;
    last.set(sensor, row);
    return row > before ? [] : [`${sensor}: ${row} after ${before}`];
  });
}

describe.skipIf(isServiceMissing('nats-server'))('an upgrade of the storage under a steady load', () => {
  let system: TestSystem;
  let gateways: readonly string[];

  beforeAll(async () => {
    system = await createTestSystem();
    await system.startOrchestrator();
    const { functions, services } = await buildCatalog(join(system.folder, 'catalog'));
    await Promise.all([
      system.startAgent('cloud-1', { enrol: true, tier: 'cloud' }),
      system.startAgent('gw-1', { enrol: true }),
    ]);
    await system.readyHosts('cloud-1', 'gw-1');
    await succeed('package', 'onboard', ...Object.values(functions), services[SERVICE] ?? '');
    await succeed('service', 'deploy', SERVICE);
    await onboard({ softwareVersion: '1.1.0' });
    await onboard({ softwareVersion: '1.2.0' });
    await onboard({ softwareVersion: '1.3.0', isBad: true });
    const gateway = (await copiesOf('gateway')).flatMap(({ ports }) => ports['http'] ?? []);
    gateways = gateway.map((port) => `http://127.0.0.1:${port}`);
  }, 120_000);

  afterAll(() => system.cleanUp(), 60_000);

  async function succeed(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await system.iotmano(args);
    if (code !== 0) throw new Error(`iotmano ${args.join(' ')} ended with ${code}: ${stderr}`);
  }

  async function onboard({ softwareVersion, isBad = false }: Version): Promise<void> {
    const file = join(system.folder, 'versions', `${PRODUCT}-${softwareVersion}.zip`);
    await buildVariant(PRODUCT, file, (descriptor) => {
      const text = JSON.stringify({
        ...descriptor,
        metadata: { ...(descriptor['metadata'] as object), softwareVersion },
        upgrade: {
          strategy: 'recreate',
          maxUnavailable: 1,
          maxSurge: 0,
          healthyFor: '1s',
          healthyWithin: isBad ? '4s' : '20s',
        },
      });
      const idle = text.replace(
        /"command":\["node"[^\]]*\]/,
        `"command":["node","-e","setInterval(Date.now,1e3)"]`,
      );
      return JSON.parse(isBad ? idle : text) as object;
    });
    await succeed('package', 'onboard', file);
  }

  const copiesOf = async (name: string): Promise<readonly StorageCopy[]> =>
    (await system.copies(SERVICE)).filter((copy) => copy.function === name) as StorageCopy[];

  const storagePids = (): readonly number[] =>
    processesOf(system.folder).filter((pid) => {
      const [program = '', ...args] = argumentsOf(pid);
      return program.endsWith('node') && args.some((argument) => argument.endsWith(`${PRODUCT}/main.js`));
    });

  /** Begins the change of version; another process than the command waits for it, so that the orchestrator may be killed. */
  async function begin(softwareVersion: string): Promise<string> {
    const packages =
      await system.get<{ vnfdId: string; vnfProductName: string; vnfSoftwareVersion: string }[]>(
        '/vnfpkgm/v2/vnf_packages',
      );
    const found = packages.find(
      (each) => each.vnfProductName === PRODUCT && each.vnfSoftwareVersion === softwareVersion,
    );
    const [copy] = await copiesOf('storage');
    const [service] = await system.get<{ id: string }[]>('/nslcm/v2/ns_instances');
    const reply = await system.request('POST', `/nslcm/v2/ns_instances/${service?.id ?? ''}/update`, {
      updateType: 'CHANGE_VNFPKG',
      changeVnfPackageData: [{ vnfInstanceId: copy?.vnfInstanceId, vnfdId: found?.vnfdId }],
    });
    expect(reply.status).toBe(202);
    return new URL(reply.headers.get('location') ?? '').pathname;
  }

  /** Has all writers write while something is done, then reads back what is stored. */
  async function whileWriting(test: string, work: () => Promise<void>): Promise<Findings> {
    const sensors = writersOf(test);
    const devices = { gateways, deadlineMs: DEADLINE_MILLISECONDS };
    await registerSensors(sensors, devices);
    const ending = new AbortController();
    const times: number[] = [];
    const playing = playSensors({
      ...devices,
      sensors,
      speed: SPEED,
      ending: ending.signal,
      onAck: () => void times.push(performance.now()),
    });
    const more = async (): Promise<void> => {
      const wanted = times.length + SOME;
      await eventually('the writers go on', () => times.length >= wanted, 40);
    };
    try {
      await more();
      await work();
      await more();
    } finally {
      ending.abort();
    }
    const played = await playing;
    const stored = await readStored(sensors, devices);
    const { missing, duplicates } = accountStored(stored, played);
    const findings = {
      acknowledged: played.acknowledged,
      lost: missing,
      twice: duplicates,
      outOfOrder: outOfOrder(stored),
      refused: played.refused,
      failed: played.attempts - played.acknowledged,
      gapSeconds: Math.max(...times.map((time, index) => time - (times[index - 1] ?? time))) / 1000,
    };
    process.stdout.write(
      `${test}: ${findings.acknowledged} acknowledged, ${missing.length} lost, ${duplicates} twice, ${findings.failed} failed and sent again, longest gap ${findings.gapSeconds.toFixed(2)} s\n`,
    );
    return findings;
  }

  const NOTHING_LOST = { lost: [], twice: 0, outOfOrder: [], refused: [] };

  it('loses nothing that was acknowledged', async () => {
    const [before] = await copiesOf('storage');
    const findings = await whileWriting('plain', () =>
      succeed('service', 'upgrade', SERVICE, '--function', 'storage=1.1.0'),
    );
    expect(findings).toMatchObject(NOTHING_LOST);
    expect(await copiesOf('storage')).toMatchObject([
      { softwareVersion: '1.1.0', state: 'RUNNING', hostId: before?.hostId },
    ]);
  }, 120_000);

  it('loses nothing when the storage, the orchestrator and the agent of its host are killed in the middle of it', async () => {
    const findings = await whileWriting('killed', async () => {
      const [old] = storagePids();
      const operation = await begin('1.2.0');
      process.kill(old ?? 0, 'SIGKILL');
      await system.orchestrator().kill();
      await system.startOrchestrator();
      const next = await eventually('the next version is started', () =>
        storagePids().find((pid) => pid !== old),
      );
      process.kill(next, 'SIGKILL');
      await system.agent('cloud-1').kill();
      await system.startAgent('cloud-1', { tier: 'cloud' });
      expect(await system.ended(operation)).toMatchObject({ operationState: 'COMPLETED' });
    });
    expect(findings).toMatchObject(NOTHING_LOST);
    expect(await copiesOf('storage')).toMatchObject([{ softwareVersion: '1.2.0', state: 'RUNNING' }]);
    expect(storagePids()).toHaveLength(1);
  }, 180_000);

  it('loses nothing when the new version never gets well, and the old one comes back', async () => {
    const findings = await whileWriting('bad', async () => {
      expect(await system.ended(await begin('1.3.0'))).toMatchObject({ operationState: 'ROLLED_BACK' });
    });
    expect(findings).toMatchObject(NOTHING_LOST);
    expect(await copiesOf('storage')).toMatchObject([{ softwareVersion: '1.2.0', state: 'RUNNING' }]);
  }, 180_000);
});
