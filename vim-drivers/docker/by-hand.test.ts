import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isServiceMissing } from '../../test/kit/services.ts';
import {
  eventually,
  find,
  newKey,
  nextFence,
  NO_BINDINGS,
  only,
  run,
  sampleWorkload,
  setSlowness,
  shell,
  until,
  untilOutput,
  untilRunning,
} from '../conformance-site.ts';
import { instanceId, instanceName } from '../contract.ts';
import { containerLabels, planOf } from './labels.ts';
import { docker, openDockerSite, type DockerSite } from './testkit.ts';

const MINUTE = 60_000;
const SLOWNESS = 3;

describe.skipIf(isServiceMissing('docker'))('an engine that others use too', { timeout: 2 * MINUTE }, () => {
  let site: DockerSite;
  const cli = (...words: readonly string[]): Promise<string> => docker(site.dockerHost, ...words);
  beforeEach(async () => {
    site = await openDockerSite({ portRange: [29_990, 29_991] });
    setSlowness(site, SLOWNESS);
  }, MINUTE);
  afterEach(() => site.close(), MINUTE);

  it('has its containers started, named and resumed again, whoever stopped, renamed or paused them', async () => {
    const workload = sampleWorkload(site);
    const name = instanceName(workload.key, 0);
    await run(site, workload);
    await cli('stop', '--time', '1', name);
    await until(site, workload.key, ([one]) => one?.state === 'RUNNING' && one.restarts === 1);
    await cli('rename', name, `${name}-other`);
    await eventually(site, async () =>
      expect(await cli('inspect', '--format', '{{.Name}}', name)).toBe(`/${name}`),
    );
    await cli('pause', name);
    const paused = only(await until(site, workload.key, ([one]) => one?.state === 'UNHEALTHY'));
    expect(paused.reason).toContain('docker unpause');
    await cli('unpause', name);
    await untilRunning(site, workload);
  });

  it('keeps what is not ours: its name is refused, and taken once it is free', async () => {
    const volumes = [{ name: 'db', mount: '/data', sizeBytes: 1024, keep: true }];
    const workload = sampleWorkload(site, { spec: { volumes } });
    const name = instanceName(workload.key, 0);
    const volume = `${workload.key.vnfInstanceId}.main.0.db.kept`;
    const foreign = await cli('create', '--name', name, 'node:24-slim', 'true');
    await cli('volume', 'create', volume);
    const refused = site.driver.apply(workload, nextFence());
    await expect(refused).rejects.toMatchObject({ code: 'driver-failed' });
    await expect(refused).rejects.toThrow(`volume ${volume} that is not ours`);
    await cli('volume', 'rm', volume);
    const reason = `container ${name} that is not ours`;
    await until(site, workload.key, ([one]) => one?.reason?.includes(reason) === true);
    await cli('rm', foreign);
    await untilRunning(site, workload);
  });

  it('has ports for so many, and for one more when one has gone', async () => {
    const ports = [{ name: 'http', protocol: 'tcp', expose: false }] as const;
    const workload = sampleWorkload(site, { slots: [0, 1, 2], spec: { ports } });
    await site.driver.apply(workload, nextFence());
    const all = await until(
      site,
      workload.key,
      (instances) => instances.filter(({ state }) => state === 'RUNNING').length === 2,
    );
    const waiting = all.filter(({ state }) => state !== 'RUNNING');
    expect(waiting.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('no port between 29990 and 29991 is free'),
    ]);
    const slots = [0, 1, 2].filter((slot) => all[0]?.slot !== slot);
    await run(site, { ...workload, instances: slots.map((slot) => ({ slot, epoch: 1 })) });
  });

  it('reaches from one service into another where bindings say so', async () => {
    const server = `process.on('SIGTERM', () => process.exit(0));
      require('node:net').createServer((socket) => socket.end('hello')).listen(process.env.PORT);`;
    const provider = {
      ...sampleWorkload(site, {
        command: ['node', '-e', server],
        spec: {
          ports: [{ name: 'tcp', protocol: 'tcp', expose: true }],
          env: { PORT: '{{ ports.tcp }}' },
        },
      }),
      labels: { service: 'one' },
    };
    const { ports } = only(await run(site, provider));
    const [host] = await site.driver.inventory();
    if (host === undefined) throw new Error('the engine is no host');
    const name = instanceName(provider.key, 0);
    const instance = instanceId(host.hostId, name);
    const endpoints = [{ host: host.address, port: ports['tcp'] ?? 0, instance }];
    const dialler = `process.on('SIGTERM', () => process.exit(0));
      const { endpoints: [{ host, port }] } = JSON.parse(require('node:fs').readFileSync(process.env.BINDINGS)).requires.tcp;
      const dial = () => require('node:net').connect(port, host)
        .on('data', (text) => console.log(host + ' says ' + text)).on('error', () => setTimeout(dial, 300));
      dial();
      setInterval(() => undefined, 1000);`;
    const client = {
      ...sampleWorkload(site, {
        command: ['node', '-e', dialler],
        bindings: { ...NO_BINDINGS, requires: { tcp: { capability: 'c', protocol: 'tcp', endpoints } } },
        spec: {
          env: { BINDINGS: '{{ bindings.path }}' },
          bindings: { path: 'bindings.json', onChange: 'reload' },
        },
      }),
      labels: { service: 'two' },
    };
    await run(site, client);
    await untilOutput(site, client.key, `${name} says hello`);
    await site.driver.remove(provider.key, nextFence());
    expect(only((await find(site, client.key))?.instances ?? [])).toMatchObject({
      state: 'RUNNING',
      restarts: 0,
    });
    await site.driver.remove(client.key, nextFence());
    const left = ['network', 'ls', '--quiet', '--filter', `label=iotmano.scope=${site.scope}`];
    expect(await cli(...left)).toBe('');
  });

  it('lets a function that is not root write its volumes, though its root file system is read-only', async () => {
    const volumes = [{ name: 'db', mount: '/data', sizeBytes: 1024, keep: true }];
    const workload = sampleWorkload(site, {
      command: shell('echo kept >/data/x && cat /data/x; touch /x || echo refused'),
      spec: { volumes, security: { nonRoot: true, readOnlyRoot: true, capabilities: [] } },
    });
    await run(site, workload);
    expect(await untilOutput(site, workload.key, 'refused')).toContain('kept\n');
  });

  it('is rid of what a driver left that was ended in the middle', async () => {
    const key = newKey();
    const labels = ['kind=directory', `instance=${instanceName(key, 0)}`, `scope=${site.scope}`];
    const words = labels.flatMap((label) => ['--label', `iotmano.${label}`]);
    await cli('volume', 'create', ...words, `${instanceName(key, 0)}.dir`);
    await cli('network', 'create', ...words, `iotmano-left-${key.vnfInstanceId}`);
    const running = sampleWorkload(site);
    await run(site, running);
    await site.reopen();
    await eventually(site, async () => {
      await site.driver.list();
      expect(await site.traces(key)).toEqual([]);
    });
    await untilRunning(site, running);
  });

  it('makes a container anew that was left unfinished, once it is told what is to be in it', async () => {
    const workload = sampleWorkload(site);
    const { key, spec, specHash } = workload;
    const name = instanceName(key, 0);
    const mark = {
      key,
      slot: 0,
      epoch: 1,
      specHash,
      plan: planOf(spec),
      ports: {},
      network: 'x',
      bindingsHash: '',
    };
    const labels = Object.entries(containerLabels(site.scope, mark, {}));
    const words = labels.flatMap(([label, value]) => ['--label', `${label}=${value}`]);
    const half = await cli('create', '--name', name, ...words, 'busybox:local', 'sleep', '1000');
    await until(site, key, ([instance]) => instance?.reason?.includes('unfinished') === true);
    expect(await cli('inspect', '--format', '{{ .State.Status }}', name)).toContain('created');
    await run(site, workload);
    expect(await cli('inspect', '--format', '{{ .Id }}', name)).not.toBe(half);
  });
});
