/** A real Kubernetes cluster as a VIM of a real orchestrator. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isServiceMissing } from '../kit/services.ts';
import { createTestSystem, eventually, type Copy, type TestSystem } from '../kit/test-system.ts';
import { WEB_FUNCTION } from '../kit/web-function.ts';

const VIM = 'cluster-1';
/** Of this run: what another one has left belongs to another installation. */
const PREFIX = `vt-${randomUUID().slice(0, 8)}-`;

function kubectl(...words: readonly string[]): string {
  return execFileSync('kubectl', words, { encoding: 'utf8' }).trim();
}

/** Pods in namespaces of ours that are not on their way out. */
function pods(): string[] {
  const columns =
    'custom-columns=NS:.metadata.namespace,NAME:.metadata.name,GOES:.metadata.deletionTimestamp,AT:.status.startTime';
  return (
    kubectl('get', 'pods', '--all-namespaces', '--no-headers', '-o', columns)
      .split('\n')
      .filter((line) => line.startsWith(PREFIX) && line.includes('<none>'))
      // Columns are as wide as what others have there.
      .map((line) => line.replaceAll(/ +/g, ' '))
      .toSorted()
  );
}

describe.skipIf(isServiceMissing('kubernetes'))('a Kubernetes cluster that is registered as a VIM', () => {
  let system: TestSystem;
  let service = '';

  beforeAll(async () => {
    system = await createTestSystem();
    await system.startOrchestrator();
  }, 60_000);

  afterAll(async () => {
    await system.cleanUp();
    const namespaces = kubectl('get', 'namespaces', '-o', 'name').split('\n');
    for (const namespace of namespaces.filter((name) => `${name}-`.startsWith(`namespace/${PREFIX}`)))
      kubectl('delete', namespace, '--wait=false');
  }, 60_000);

  async function health(): Promise<{ state: string; reason?: string }> {
    return (await system.get<{ health: { state: string } }>(`/iotmano/v1/vim_connections/${VIM}`)).health;
  }

  async function answerOf({ endpoints }: Copy): Promise<unknown> {
    const [, at = ''] = endpoints.find((endpoint) => endpoint.startsWith('http='))?.split('=') ?? [];
    return await (await fetch(`http://${at}/`)).json();
  }

  it('is a host at once, with its machines', async () => {
    const add = `vim add ${VIM} --type kubernetes --kubeconfig ${process.env['KUBECONFIG'] ?? ''} --namespace-prefix ${PREFIX} --tier cloud`;
    const { stderr, code } = await system.iotmano(add.split(' '));
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^cluster-1 is registered; it answers \(\d+ ms\)/),
    ]);
    await system.readyHosts(VIM);
    expect((await system.iotmano(['vim', 'list'])).stdout).toMatch(
      /^cluster-1 +kubernetes +REACHABLE .* \d+\/\d+ +0 /m,
    );
    const shown = await system.iotmano(['vim', 'show', VIM]);
    expect(shown.stdout).not.toMatch(/token|client-key|BEGIN/i);
  }, 60_000);

  it('runs, scales and measures a function, which answers where its endpoints say', async () => {
    await system.onboard({ web: { more: WEB_FUNCTION } });
    service = await system.deploy('web', [{ name: 'web' }]);
    const [copy] = await system.running('web', 1);
    expect(copy).toMatchObject({ hostId: VIM, vimType: 'kubernetes' });
    expect(await answerOf(copy ?? never())).toMatchObject({ host: VIM });
    const path = `/vnflcm/v2/vnf_instances/${copy?.vnfInstanceId ?? ''}/scale`;
    const { headers } = await system.request('POST', path, { type: 'SCALE_OUT', aspectId: 'load' });
    const operation = new URL(headers.get('location') ?? '').pathname;
    expect(await system.ended(operation)).toMatchObject({ operationState: 'COMPLETED' });
    expect(pods()).toHaveLength(2);
    await eventually(
      'its restarts are known',
      async () => {
        const query = `vnfInstanceId=${copy?.vnfInstanceId ?? ''}`;
        const series = await system.get<{ metric: string }[]>(`/iotmano/v1/measurements?${query}`);
        return series.some(({ metric }) => metric === 'instance_restarts_total');
      },
      30,
    );
  }, 120_000);

  it('does not notice when the orchestrator is killed', async () => {
    const before = pods();
    await system.orchestrator().kill();
    await system.startOrchestrator();
    await eventually('the VIM is driven again', async () => (await health()).state === 'REACHABLE');
    await system.running('web', 2);
    expect(pods()).toEqual(before);
  }, 60_000);

  it('is told from one with wrong credentials in words, and works again with the right ones', async () => {
    const before = pods();
    const wrong = kubectl('config', 'view', '--raw', '--flatten').replace(
      /token: .*/,
      'token: wrong-token-of-nobody',
    );
    const patch = (kubeconfig: string) =>
      system.request('PATCH', `/iotmano/v1/vim_connections/${VIM}`, { accessInfo: { kubeconfig } });
    expect((await patch(wrong)).status).toBe(200);
    await eventually('it is refused', async () => (await health()).state === 'UNREACHABLE');
    const check = await system.iotmano(['vim', 'check', VIM]);
    expect(check.code).toBe(1);
    expect(check.stderr).toMatch(/does not accept the credentials/);
    expect(check.stderr).not.toContain('wrong-token');
    expect((await patch(kubectl('config', 'view', '--raw', '--flatten'))).status).toBe(200);
    await eventually('it is reached', async () => (await health()).state === 'REACHABLE');
    await system.running('web', 2);
    expect(pods()).toEqual(before);
  }, 90_000);

  it('leaves nothing behind, and is forgotten once nothing is assigned there', async () => {
    const operation = await system.begin(service, 'terminate');
    // A kubelet takes its time to forget a pod.
    await eventually(
      'it is terminated',
      async () => (await system.get<{ operationState: string }>(operation)).operationState === 'COMPLETED',
      120,
    );
    const { code, stderr } = await system.iotmano(['vim', 'rm', VIM]);
    expect([code, stderr]).toEqual([0, 'cluster-1 is forgotten\n']);
    expect(pods()).toEqual([]);
  }, 150_000);
});

function never(): never {
  throw new RangeError('there is no such copy');
}
