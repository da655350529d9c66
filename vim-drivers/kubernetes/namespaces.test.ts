import { describe, expect, it } from 'vitest';
import { IotmanoError, type TenantId } from '../../kernel/index.ts';
import type { DriverContext } from './context.ts';
import { LABEL } from './names.ts';
import { Namespaces } from './namespaces.ts';
import type { Kind, KubeObject } from './objects.ts';

/** The namespaces of a cluster, with nothing in them. */
class EmptyCluster {
  readonly namespaces = new Map<string, KubeObject<'namespace'>>();
  isAway = false;
  now = 0;

  add(name: string, labels: Record<string, string>): void {
    this.namespaces.set(name, { metadata: { name, labels } });
  }

  ofScope(scopeLabel: string): Namespaces {
    const answer = <T>(value: T): T => {
      if (this.isAway) throw new IotmanoError('unavailable', 'the cluster is away');
      return value;
    };
    const client = {
      get: async (_: Kind, __: string, name: string) => answer(this.namespaces.get(name)),
      list: async (kind: Kind) =>
        answer({ items: kind === 'namespace' ? [...this.namespaces.values()] : [] }),
      delete: async (_: Kind, __: string, name: string) => answer(this.namespaces.delete(name)),
      apply: async () => answer({}),
    };
    const clock = { monotonic: () => this.now };
    const context = { client, clock, scopeLabel } as unknown as DriverContext;
    return new Namespaces(context, { prefix: 'iotmano-', scope: scopeLabel, quota: {} });
  }
}

const ACME = 'acme' as TenantId;

describe('the namespace of a tenant', () => {
  it('is used when it is there for that tenant', async () => {
    const cluster = new EmptyCluster();
    cluster.add('iotmano-acme', { [LABEL.scope]: 'here', [LABEL.tenant]: 'acme' });
    expect(await cluster.ofScope('here').use(ACME, async (name) => name)).toBe('iotmano-acme');
  });

  it.each([
    ['another installation', { [LABEL.scope]: 'there', [LABEL.tenant]: 'acme' }],
    ['another tenant', { [LABEL.scope]: 'here', [LABEL.tenant]: 'umbrella' }],
    ['no tenant', { [LABEL.scope]: 'here' }],
  ])('is not taken over from %s', async (_, labels) => {
    const cluster = new EmptyCluster();
    cluster.add('iotmano-acme', labels);
    await expect(cluster.ofScope('here').use(ACME, async () => 'used')).rejects.toMatchObject({
      code: 'driver-failed',
      context: { namespace: 'iotmano-acme' },
    });
  });

  it('that an earlier driver has left empty goes, also when the cluster was away at the first look', async () => {
    const cluster = new EmptyCluster();
    cluster.add('iotmano-acme', { [LABEL.scope]: 'here', [LABEL.tenant]: 'acme' });
    const namespaces = cluster.ofScope('here');
    cluster.now = 60_000;
    cluster.isAway = true;
    await expect(namespaces.sweep()).rejects.toMatchObject({ code: 'unavailable' });
    expect(namespaces.hasIdle).toBe(true);
    cluster.isAway = false;
    await namespaces.sweep();
    expect(cluster.namespaces.size).toBe(0);
    expect(namespaces.hasIdle).toBe(false);
  });

  it('that is not there is not looked for again and again', async () => {
    const cluster = new EmptyCluster();
    const namespaces = cluster.ofScope('here');
    namespaces.touch('iotmano-acme');
    cluster.now = 60_000;
    expect(namespaces.hasIdle).toBe(true);
    await namespaces.sweep();
    expect(namespaces.hasIdle).toBe(false);
  });
});
