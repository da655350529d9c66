/** A real Docker Engine as a VIM of a real orchestrator: everything that happens to a function there, from the first start to the last trace. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCuttingProxy, type CuttingProxy } from '../../vim-drivers/docker/testkit-proxy.ts';
import { endpointOf, engineAtHand } from '../../vim-drivers/docker/testkit.ts';
import { isServiceMissing } from '../kit/services.ts';
import { createTestSystem, eventually, type TestSystem } from '../kit/test-system.ts';
import { WEB_FUNCTION } from '../kit/web-function.ts';

const VIM = 'docker-1';
function docker(...words: readonly string[]): string {
  return execFileSync('docker', ['-H', engineAtHand(), ...words], { encoding: 'utf8' }).trim();
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe.skipIf(isServiceMissing('docker'))('a Docker Engine that is registered as a VIM', () => {
  let system: TestSystem;
  let proxy: CuttingProxy;
  let scope = '';
  let service = '';

  const ours = (): string => `label=iotmano.scope=${scope}`;
  const containers = (): string[] =>
    lines(docker('ps', '--all', '--quiet', '--no-trunc', '--filter', ours()));
  const startedAt = (): string[] =>
    containers()
      .map((id) => docker('inspect', '--format', '{{.Id}} {{.State.StartedAt}}', id))
      .toSorted();

  beforeAll(async () => {
    proxy = await startCuttingProxy(endpointOf(engineAtHand()));
    system = await createTestSystem();
    await system.startOrchestrator();
  }, 60_000);

  afterAll(async () => {
    await system.cleanUp();
    await proxy.close();
    if (scope === '') return;
    for (const id of containers()) docker('rm', '--force', '--volumes', id);
    for (const id of lines(docker('network', 'ls', '--quiet', '--filter', ours())))
      docker('network', 'rm', id);
    for (const id of lines(docker('volume', 'ls', '--quiet', '--filter', ours()))) docker('volume', 'rm', id);
  }, 60_000);

  async function health(): Promise<string> {
    const vim = await system.get<{ health: { state: string } }>(`/iotmano/v1/vim_connections/${VIM}`);
    return vim.health.state;
  }

  /** Shows why where it did not come to that. */
  async function completed(operation: string): Promise<void> {
    const { operationState, error } = await system.ended(operation);
    expect([operationState, error?.detail]).toEqual(['COMPLETED', undefined]);
  }

  async function scale(type: 'SCALE_OUT' | 'SCALE_IN'): Promise<string> {
    const [copy] = await system.copies('web');
    const path = `/vnflcm/v2/vnf_instances/${copy?.vnfInstanceId ?? ''}/scale`;
    const { status, headers } = await system.request('POST', path, { type, aspectId: 'load' });
    expect(status).toBe(202);
    return new URL(headers.get('location') ?? '').pathname;
  }

  it('is a host at once, checked from the command line', async () => {
    const add = `vim add ${VIM} --type docker --endpoint unix://${proxy.path} --tier cloud --label site=${VIM}`;
    const { stderr, code } = await system.iotmano(add.split(' '));
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^docker-1 is registered; it answers \(\d+ ms\)/),
    ]);
    await system.readyHosts(VIM);
    const hosts = await system.iotmano(['hosts']);
    expect(hosts.stdout).toMatch(/^docker-1 +READY +docker +cloud /m);
  }, 60_000);

  it('runs a function as a container that answers', async () => {
    await system.onboard({ web: { more: WEB_FUNCTION } });
    service = await system.deploy('web', [{ name: 'web' }]);
    const [copy] = await system.running('web', 1);
    expect(copy).toMatchObject({ hostId: VIM, vimType: 'docker' });
    expect(await system.ask(copy ?? never())).toMatchObject({ host: VIM });
    const [container] = lines(
      docker('ps', '--quiet', '--filter', `label=iotmano.vnf-instance=${copy?.vnfInstanceId ?? ''}`),
    );
    scope = docker('inspect', '--format', '{{ index .Config.Labels "iotmano.scope" }}', container ?? '');
    expect(scope).toMatch(/^[0-9a-f]{8}\.docker-1$/);
    expect((await system.iotmano(['ps'])).stdout).toMatch(/^web-main-0 +web +RUNNING +docker-1 +docker /m);
  }, 90_000);

  it('scales it out and in', async () => {
    await completed(await scale('SCALE_OUT'));
    await system.running('web', 2);
    expect(containers()).toHaveLength(2);
    await completed(await scale('SCALE_IN'));
    expect(containers()).toHaveLength(1);
  }, 90_000);

  it('measures it', async () => {
    const [copy] = await system.copies('web');
    await eventually(
      'its memory is known',
      async () => {
        const series = await system.get<{ metric: string }[]>(
          `/iotmano/v1/measurements?vnfInstanceId=${copy?.vnfInstanceId ?? ''}`,
        );
        return series.some(({ metric }) => metric === 'instance_memory_bytes');
      },
      30,
    );
  }, 60_000);

  it('shows its output, from wherever it is asked', async () => {
    const { code, stdout } = await system.iotmano(['logs', 'web-main-0']);
    expect([code, stdout]).toEqual([0, 'web serves\n']);
    const nothing = await system.iotmano(['logs', 'web-main-9']);
    expect([nothing.code, nothing.stdout]).toEqual([5, '']);
  }, 60_000);

  it('does not notice when the orchestrator is killed, also in the middle of an operation', async () => {
    const before = startedAt();
    await system.orchestrator().kill();
    await system.startOrchestrator();
    await eventually('the VIM is driven again', async () => (await health()) === 'REACHABLE');
    await system.running('web', 1);
    expect(startedAt()).toEqual(before);
    const operation = await scale('SCALE_OUT');
    await system.orchestrator().kill();
    await system.startOrchestrator();
    await completed(operation);
    await system.running('web', 2);
    expect(startedAt()).toEqual(expect.arrayContaining(before));
  }, 90_000);

  it('loses its functions to other hosts when it goes away, and is cleared of them when it is back', async () => {
    await system.addHosts('gw-1');
    proxy.cut();
    await eventually('it is shown as unreachable', async () => (await health()) === 'UNREACHABLE');
    const moved = await eventually(
      'both copies run on the other host',
      async () => {
        const copies = (await system.copies('web')).filter(
          ({ hostId, state }) => hostId === 'gw-1' && state === 'RUNNING',
        );
        return copies.length === 2 && copies;
      },
      60,
    );
    expect(await system.ask(moved[0] ?? never())).toMatchObject({ host: 'gw-1' });
    // Nobody told the engine anything: there they run on.
    expect(containers()).toHaveLength(2);
    const { body } = await system.request<{ name: string }[]>(
      'GET',
      '/iotmano/v1/alarms?filter=(eq,perceivedSeverity,MAJOR)',
    );
    expect(body.map(({ name }) => name)).toContain('vim-unreachable');
    await proxy.mend();
    await eventually('it is back', async () => (await health()) === 'REACHABLE', 30);
    await eventually('what is not wanted there is gone', () => containers().length === 0, 30);
    expect((await system.running('web', 2)).map(({ hostId }) => hostId)).toEqual(['gw-1', 'gw-1']);
  }, 150_000);

  it('leaves nothing behind, and is forgotten once nothing is assigned there', async () => {
    expect(await system.ended(await system.begin(service, 'terminate'))).toMatchObject({
      operationState: 'COMPLETED',
    });
    const { code, stderr } = await system.iotmano(['vim', 'rm', VIM]);
    expect([code, stderr]).toEqual([0, 'docker-1 is forgotten\n']);
    expect(containers()).toEqual([]);
    expect(lines(docker('network', 'ls', '--quiet', '--filter', ours()))).toEqual([]);
    const volumes = lines(
      docker('volume', 'ls', '--filter', ours(), '--format', '{{.Label "iotmano.kind"}}'),
    );
    // Whoever comes back under this scope has to be newer than what was here.
    expect(volumes.filter((kind) => kind !== 'fence')).toEqual([]);
    const hosts = await system.get<{ hostId: string }[]>('/iotmano/v1/hosts');
    expect(hosts.map(({ hostId }) => hostId)).toEqual(['gw-1']);
  }, 60_000);
});

function never(): never {
  throw new RangeError('there is no such copy');
}
