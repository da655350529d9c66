import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { isServiceMissing } from '../../test/kit/services.ts';
import {
  find,
  newKey,
  nextFence,
  run,
  sampleWorkload,
  setSlowness,
  shell,
  until,
  untilOutput,
  NO_BINDINGS,
} from '../conformance-site.ts';
import { clusterAtHand, kubectl, openKubernetesSite, type KubernetesSite } from './testkit.ts';
import { ApiTransport, type ApiRequest } from './transport.ts';

const RBAC = readFileSync(join(import.meta.dirname, 'rbac.yaml'), 'utf8');
/** The test's own copy of the account, that does not meet a real one. */
const unique = randomUUID().slice(0, 8);
const OWN_RBAC = RBAC.replaceAll(/iotmano-(driver|access)/g, `iotmano-$1-${unique}`);

/** `group/resource verb` of every right that the manifest gives. */
function grantedRights(): ReadonlySet<string> {
  const roles = parseAllDocuments(RBAC)
    .map((document) => document.toJS() as { kind: string; rules?: readonly Rule[] })
    .filter(({ kind }) => kind === 'ClusterRole');
  const rights = roles.flatMap(({ rules = [] }) =>
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)),
      ),
    ),
  );
  return new Set(rights);
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The rights that a call needs. What is applied may have to be made. */
function neededRights({ method, path, query }: ApiRequest): readonly string[] {
  const [, group = '', rest = ''] = /^\/(?:api|apis\/([^/]+))\/v[^/]+\/(.*)$/.exec(path) ?? [];
  const inside = /^namespaces\/[^/]+\/(.+)$/.exec(rest)?.[1] ?? rest;
  const [plural = '', name, below] = inside.split('/');
  const resource = `${group}/${below === undefined ? plural : `${plural}/${below}`}`;
  const verbs = {
    GET: [query?.['watch'] === 'true' ? 'watch' : name === undefined ? 'list' : 'get'],
    POST: ['create'],
    PUT: ['update'],
    PATCH: ['patch', 'create'],
    DELETE: [name === undefined ? 'deletecollection' : 'delete'],
  }[method];
  return verbs.map((verb) => `${resource} ${verb}`);
}

/** Rights of calls that are made by other means, or that the cluster at hand cannot answer. */
const NOT_RECORDED = ['/pods/exec get', '/pods/exec create', 'metrics.k8s.io/pods get'];

describe.skipIf(isServiceMissing('kubernetes'))('the account of rbac.yaml', { timeout: 180_000 }, () => {
  let site: KubernetesSite;
  let directory: string;
  const used = new Set<string>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'iotmano-rbac-'));
    const file = join(directory, 'rbac.yaml');
    await writeFile(file, OWN_RBAC);
    await kubectl('apply', '-f', file);
    const record = (which: 'send' | 'open'): void => {
      const original = ApiTransport.prototype[which] as (
        this: ApiTransport,
        request: ApiRequest,
      ) => Promise<never>;
      vi.spyOn(ApiTransport.prototype, which).mockImplementation(function (
        this: ApiTransport,
        request: ApiRequest,
      ) {
        if (this.server !== clusterAtHand().getCurrentCluster()?.server)
          for (const right of neededRights(request)) used.add(right);
        return original.call(this, request);
      });
    };
    record('send');
    record('open');
    site = await openKubernetesSite({ token: await tokenOfAccount(), quota: { instances: 20 } });
    setSlowness(site, 4);
  }, 60_000);

  afterAll(async () => {
    vi.restoreAllMocks();
    await site?.close();
    await kubectl('delete', '--wait=false', '-f', join(directory, 'rbac.yaml'));
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  it('suffices for all that the driver does', async () => {
    const { driver } = site;
    const workload = sampleWorkload(site, {
      command: shell('trap "echo reloaded" HUP; echo ready'),
      spec: {
        ports: [{ name: 'http', protocol: 'tcp', expose: true }],
        files: [{ path: 'a', content: 'b' }],
        env: { A: 'b' },
        bindings: { path: 'bindings.json', onChange: 'reload' },
        metrics: { port: 'http', path: '/metrics' },
        volumes: [{ name: 'db', mount: '/data', sizeBytes: 1024, keep: true }],
      },
    });
    await run(site, workload);
    await untilOutput(site, workload.key, 'ready');
    await driver.apply({ ...workload, bindings: { ...NO_BINDINGS, config: { a: 1 } } }, nextFence());
    await untilOutput(site, workload.key, 'reloaded');
    expect((await driver.usage(workload.key)).instances).toHaveLength(1);
    const { signal } = new AbortController();
    expect(
      await driver.readMetrics(workload.key, 0, { port: 'http', path: '/metrics' }, signal),
    ).toBeUndefined();
    const stateless = sampleWorkload(site, {
      key: newKey(),
      spec: { restart: { withinSeconds: 60, times: 0, backoffMinSeconds: 1, backoffMaxSeconds: 1 } },
    });
    await run(site, stateless);
    const artifact = site.programs?.missingArtifact() ?? stateless.spec.artifact;
    await expect(
      driver.apply(
        { ...stateless, specHash: 'sha256:other', spec: { ...stateless.spec, artifact } },
        nextFence(),
      ),
    ).rejects.toMatchObject({ code: 'unavailable' });
    const [instance] = (await find(site, stateless.key))?.instances ?? [];
    if (instance !== undefined) await site.crash(stateless.key, instance);
    await until(site, stateless.key, ([one]) => one?.state === 'FAILED');
    await driver.apply({ ...stateless, instances: [] }, nextFence());
    const job = sampleWorkload(site, { command: ['true'], spec: { run: { mode: 'job' } } });
    await driver.apply(job, nextFence());
    await until(site, job.key, ([one]) => one?.state === 'COMPLETED');
    const boundless = await openKubernetesSite({
      token: await tokenOfAccount(),
      scope: site.scope,
      namespacePrefix: site.namespace.replace(/default$/, ''),
    });
    await boundless.driver.apply({ ...stateless, instances: [] }, nextFence());
    await boundless.driver.close();
    for (const { key } of [workload, stateless, job])
      await driver.remove(key, nextFence(), { deleteKeptVolumes: true });
    expect(await driver.list()).toEqual([]);
    // The tenant has nothing left: after a while its namespace goes.
    await vi.waitFor(
      async () => {
        const namespace = await site.client.get('namespace', undefined, site.namespace);
        expect(namespace?.metadata?.deletionTimestamp ?? 'gone').not.toBe(namespace && 'gone');
      },
      { timeout: 40_000, interval: 500 },
    );
  });

  it('has no right that the driver does not use', () => {
    const unused = [...grantedRights()].filter((right) => !used.has(right) && !NOT_RECORDED.includes(right));
    expect(unused).toEqual([]);
    expect([...used].filter((right) => !grantedRights().has(right))).toEqual([]);
  });
});

async function tokenOfAccount(): Promise<string> {
  const transport = new ApiTransport(clusterAtHand());
  try {
    const path = `/api/v1/namespaces/iotmano-access-${unique}/serviceaccounts/iotmano-driver-${unique}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const answer = await transport.send({ method: 'POST', path, body });
    return (JSON.parse(answer) as { readonly status: { readonly token: string } }).status.token;
  } finally {
    transport.close();
  }
}
