import { describe, expect, it } from 'vitest';
import { IotmanoError } from '../../kernel/index.ts';
import { FenceGuard, type FenceGuardOptions } from './fence-guard.ts';
import { LABEL } from './names.ts';
import type { KubeObject } from './objects.ts';

/** The part of a cluster that keeps the fence: one namespace, and at most one ConfigMap in it. */
class FenceCluster {
  owner: string | undefined;
  stored: KubeObject<'configMap'> | undefined;
  #version = 0;

  guardOf(scope: string): FenceGuard {
    const client = {
      get: async () => this.stored,
      put: async (_: string, manifest: KubeObject<'configMap'>) => this.#put(manifest),
    } as unknown as FenceGuardOptions['client'];
    const ensureNamespace = async (): Promise<void> => {
      this.owner ??= scope;
      if (this.owner !== scope) throw new IotmanoError('driver-failed', 'the namespace is not ours');
    };
    return new FenceGuard({
      client,
      namespace: 'iotmano',
      labels: { [LABEL.scope]: scope },
      ensureNamespace,
    });
  }

  #put(manifest: KubeObject<'configMap'>): KubeObject<'configMap'> {
    if (this.owner === undefined) throw new IotmanoError('driver-failed', 'no namespace', { status: 404 });
    if (manifest.metadata?.resourceVersion !== this.stored?.metadata?.resourceVersion)
      throw new IotmanoError('driver-failed', 'conflict', { status: 409 });
    this.#version += 1;
    this.stored = { ...manifest, metadata: { ...manifest.metadata, resourceVersion: `${this.#version}` } };
    return this.stored;
  }
}

describe('the fence', () => {
  it('is raised by the newest of several drivers of a scope, and refuses what is older', async () => {
    const cluster = new FenceCluster();
    const [one, other] = [cluster.guardOf('here'), cluster.guardOf('here')];
    const newest = { leaseNumber: 2, revision: 1 };
    await Promise.all([one.pass(newest), other.pass(newest)]);
    await expect(other.pass({ leaseNumber: 1, revision: 9 })).rejects.toMatchObject({ code: 'stale-lease' });
    expect(cluster.stored?.data).toEqual({ leaseNumber: '2', revision: '1' });
  });

  it('lets a leader go on after later commands of its own, until there is a newer leader', async () => {
    const cluster = new FenceCluster();
    const guard = cluster.guardOf('here');
    const early = { leaseNumber: 1, revision: 1 };
    await guard.pass(early);
    await guard.pass({ leaseNumber: 1, revision: 9 });
    await guard.demandLease(early);
    await cluster.guardOf('here').pass({ leaseNumber: 2, revision: 1 });
    await expect(guard.demandLease(early)).rejects.toMatchObject({ code: 'stale-lease' });
  });

  it('says that a namespace is of another installation, whichever of the two fences is newer', async () => {
    const cluster = new FenceCluster();
    await cluster.guardOf('there').pass({ leaseNumber: 5, revision: 5 });
    const theirs = cluster.stored;
    for (const leaseNumber of [1, 9])
      await expect(cluster.guardOf('here').pass({ leaseNumber, revision: 1 })).rejects.toMatchObject({
        code: 'driver-failed',
        message: 'the namespace is not ours',
      });
    expect(cluster.stored).toBe(theirs);
  });

  it('is not written into a namespace of another installation that has none', async () => {
    const cluster = new FenceCluster();
    cluster.owner = 'there';
    await expect(cluster.guardOf('here').pass({ leaseNumber: 1, revision: 1 })).rejects.toMatchObject({
      code: 'driver-failed',
    });
    expect(cluster.stored).toBeUndefined();
  });

  it('leaves alone a ConfigMap of its name that somebody else has put into its namespace', async () => {
    const cluster = new FenceCluster();
    cluster.owner = 'here';
    cluster.stored = { metadata: { name: 'fence', resourceVersion: '7' }, data: { leaseNumber: '99' } };
    await expect(cluster.guardOf('here').pass({ leaseNumber: 1, revision: 1 })).rejects.toMatchObject({
      code: 'driver-failed',
      message: 'the configMap iotmano/fence is there already and is not of this installation; delete it',
    });
    expect(cluster.stored.data).toEqual({ leaseNumber: '99' });
  });
});
