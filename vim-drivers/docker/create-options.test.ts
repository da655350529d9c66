import { Readable } from 'node:stream';
import { Parser } from 'tar';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import { NO_BINDINGS, sampleWorkload } from '../conformance-site.ts';
import { instanceId, type WorkloadSpec } from '../contract.ts';
import { bindingsForContainer, boundNetworks } from './bindings-text.ts';
import { createOptions, enginePolicy, NON_ROOT_USER, userFor, type CreateInput } from './create-options.ts';
import { packArchive } from './instance-archive.ts';
import { bindingsEntries, fileEntries, hostFactsOf, ownerOf } from './instance-files.ts';
import { parseMark, planOf } from './labels.ts';
import { Neighbours } from './neighbours.ts';

const KEY = { tenant: DEFAULT_TENANT, vnfInstanceId: 'f' as VnfInstanceId, unit: 'main', generation: 1 };
const SITE = {
  artifact: (command: readonly string[]) => ({ type: 'container', image: 'a:1', command }) as const,
};

function specWith(changes: Partial<WorkloadSpec> = {}): WorkloadSpec {
  return sampleWorkload(SITE, { command: ['serve', '{{ ports.http }}'], spec: changes }).spec;
}

const PORTS = [
  { name: 'http', protocol: 'tcp', expose: true },
  { name: 'metrics', protocol: 'tcp', expose: false },
] as const;

function inputFor(spec: WorkloadSpec, changes: Partial<CreateInput> = {}): CreateInput {
  const ports = { http: 20_001, metrics: 20_002 };
  return {
    scope: 'mine',
    mark: {
      key: KEY,
      slot: 0,
      epoch: 1,
      specHash: 'sha256:1',
      plan: planOf(spec),
      ports,
      network: 'net',
      bindingsHash: '',
    },
    spec,
    labels: { function: 'f', constituent: 'broker' },
    facts: hostFactsOf({ key: KEY, slot: 0, spec, ports, hostId: 'h', hostAddress: '10.0.0.1' }),
    image: { reference: 'a:1', user: '' },
    isLocal: true,
    engine: { hasInit: true, hasQuota: true, hasSwapLimit: true, logDriver: 'json-file' },
    ...changes,
  };
}

describe('what the engine is asked to make', () => {
  it('runs the command with what only the host knows, by the names of the network', () => {
    const options = createOptions(
      inputFor(specWith({ ports: PORTS, env: { PORT: '{{ ports.http }}', WHERE: '{{ host.address }}' } })),
    );
    expect(options).toMatchObject({
      Entrypoint: ['serve'],
      Cmd: ['20001'],
      Env: ['PORT=20001', 'WHERE=10.0.0.1'],
      NetworkingConfig: { EndpointsConfig: { net: { Aliases: ['broker', 'f'] } } },
    });
  });

  it('publishes on all addresses what is exposed, and the rest on loopback of the engine’s own machine', () => {
    const spec = specWith({ ports: PORTS });
    expect(createOptions(inputFor(spec)).HostConfig?.PortBindings).toEqual({
      '20001/tcp': [{ HostIp: '', HostPort: '20001' }],
      '20002/tcp': [{ HostIp: '127.0.0.1', HostPort: '20002' }],
    });
    const remote = createOptions(inputFor(spec, { isLocal: false })).HostConfig?.PortBindings as object;
    expect(Object.values(remote).flat()).toEqual([
      { HostIp: '', HostPort: '20001' },
      { HostIp: '', HostPort: '20002' },
    ]);
  });

  it('takes rights and room away', () => {
    const spec = specWith({ security: { nonRoot: true, readOnlyRoot: true, capabilities: ['NET_RAW'] } });
    const { HostConfig, User } = createOptions(inputFor(spec));
    expect(User).toBe(NON_ROOT_USER);
    expect(HostConfig).toMatchObject({
      CapDrop: ['ALL'],
      CapAdd: ['NET_RAW'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Memory: 64 * 1024 ** 2,
      MemorySwap: 64 * 1024 ** 2,
      CpuPeriod: 100_000,
      CpuQuota: 10_000,
    });
    expect(Object.keys(HostConfig?.Tmpfs ?? {})).toEqual(['/tmp']);
  });

  it('carries what a driver opened anew needs, and no secret', () => {
    const input = inputFor(specWith({ env: { TOKEN: 'secret' }, files: [{ path: 'a', content: 'secret' }] }));
    const labels = createOptions(input).Labels ?? {};
    expect(parseMark(labels)).toEqual(input.mark);
    expect(JSON.stringify(labels)).not.toContain('secret');
    expect(parseMark({ ...labels, 'iotmano.mark': '{}' })).toBeUndefined();
    expect(parseMark({})).toBeUndefined();
  });

  it('leaves to the engine only what may be started again', () => {
    const restart = specWith().restart;
    expect(enginePolicy({ run: { mode: 'service' }, restart })).toBe('always');
    expect(enginePolicy({ run: { mode: 'job' }, restart })).toBe('on-failure');
    expect(enginePolicy({ run: { mode: 'service' }, restart: { ...restart, times: 0 } })).toBe('no');
  });
});

it('lets nobody be root who must not, and leaves others as their image has them', () => {
  const must = specWith({ security: { nonRoot: true, readOnlyRoot: false, capabilities: [] } });
  expect(['', 'root', '0', '0:0', 'root:root', '00'].map((user) => userFor(must, user))).toEqual(
    Array.from({ length: 6 }, () => NON_ROOT_USER),
  );
  expect(['node', '1000', '1000:0'].map((user) => userFor(must, user))).toEqual(['node', '1000', '1000:0']);
  expect(userFor(specWith(), '')).toBe('');
  expect(ownerOf('1000:50')).toEqual({ uid: 1000, gid: 50, isKnown: true });
  expect(ownerOf('node').isKnown).toBe(false);
});

describe('what is put into a container', () => {
  it('can be unpacked by others, long names included', async () => {
    const path = `${'d/'.repeat(60)}${'n'.repeat(120)}.json`;
    const spec = specWith({
      files: [{ path, content: 'id = {{ instance.id }}' }],
      bindings: { path: 'conf/bindings.json', onChange: 'reload' },
    });
    const { facts } = inputFor(spec);
    const owner = ownerOf('1000');
    const archive = packArchive(
      [
        ...fileEntries(spec, facts, owner),
        ...bindingsEntries({ path: 'conf/bindings.json' }, '{}', 1, owner),
      ],
      new Date(0),
    );
    const found = new Map<string, string>();
    const owners = new Set<number | undefined>();
    const parser = new Parser({
      strict: true,
      onReadEntry(entry) {
        found.set(entry.path, entry.linkpath ?? '');
        owners.add(entry.uid);
        entry.on('data', (chunk: Buffer) => found.set(entry.path, chunk.toString()));
      },
    });
    await new Promise((resolve, reject) => {
      parser.on('end', resolve);
      parser.on('error', reject);
      Readable.from([archive]).pipe(parser);
    });
    expect(found.get(path)).toBe('id = f-main-g1-0');
    expect(found.get('conf/.bindings.json.1')).toBe('{}');
    expect(found.get('conf/bindings.json')).toBe('.bindings.json.1');
    expect(owners).toEqual(new Set([1000]));
    const names = [...found.keys()];
    expect(names.indexOf('conf/.bindings.json.1')).toBeLessThan(names.indexOf('conf/bindings.json'));
  });

  it('lies below the instance’s directory, or is refused', () => {
    for (const path of ['../x', '/etc/x', 'a/../../x', '.']) {
      const spec = specWith({ files: [{ path, content: '' }] });
      expect(() => fileEntries(spec, inputFor(spec).facts, ownerOf(''))).toThrow('must lie below');
    }
  });
});

describe('bindings', () => {
  const HOST = 'docker-1' as HostId;
  const endpoint = (instance: string): { host: string; port: number; instance: string } => ({
    host: '10.0.0.1',
    port: 20_000,
    instance,
  });
  const bindings = {
    ...NO_BINDINGS,
    requires: {
      broker: {
        capability: 'b',
        protocol: 'nats',
        endpoints: [endpoint(instanceId(HOST, 'v-main-g1-0')), endpoint('far')],
      },
    },
  };
  const neighbours = new Neighbours(HOST);
  neighbours.add('v-main-g1-0', 'net-1');

  it('name who runs on the same engine by its container, and leave others as they are', () => {
    const { broker } = bindingsForContainer(bindings, neighbours).requires;
    expect(broker?.endpoints.map(({ host }) => host)).toEqual(['v-main-g1-0', '10.0.0.1']);
  });

  it('tell the networks in which those are', () => {
    expect(boundNetworks(bindings, neighbours)).toEqual(['net-1']);
  });
});
