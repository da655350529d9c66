import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ZipFile } from 'yazl';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  randomIds,
  silentLogger,
  systemClock,
  type NsdInfoId,
  type TenantId,
  type VnfPkgId,
} from '../../kernel/index.ts';
import { buildPackage, readPackage } from '../../descriptors/index.ts';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import type { ApiClient } from '../../test/kit/api-client.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';
import {
  createOnboarding,
  openContentFiles,
  packageRoutes,
  type ContentFiles,
  type Onboarding,
} from './index.ts';
import type { NsdInfo, VnfPkgInfo } from './views.ts';

const PACKAGES = '/vnfpkgm/v2/vnf_packages';
const DESCRIPTORS = '/nsd/v2/ns_descriptors';
const KIBIBYTE = 1024;

const functionYaml = (version = '1.0.0', files = ''): string => `apiVersion: iotmano/v1
kind: IoTFunctionDescriptor
metadata:
  invariantId: urn:iotmano:function:echo
  provider: iotmano
  productName: echo
  softwareVersion: ${version}
  descriptorVersion: 1.0.0
  role: ae
units:
  - name: main
    artifacts: [{ type: process, command: [node, main.js]${files} }]
    resources: { cpu: 100m, memory: 64Mi }
flavours:
  - { name: default, levels: [{ name: one, instances: { main: 1 } }] }
`;

const serviceYaml = (range = '^1.0.0'): string => `apiVersion: iotmano/v1
kind: IoTServiceDescriptor
metadata: { invariantId: urn:iotmano:service:echoes, version: 1.0.0 }
functions:
  - { name: echo, function: urn:iotmano:function:echo, version: ${range} }
`;

let directory: string;
let store: MemoryStore;
let files: ContentFiles;
let onboarding: Onboarding;
let api: TestApi;
let operator: ApiClient;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'iotmano-packages-'));
  store = createMemoryStore();
  await open();
});
afterEach(async () => {
  await api.close();
  await onboarding.close();
  await rm(directory, { recursive: true, force: true });
});

/** What main does at the start: also after a crash. */
async function open(): Promise<void> {
  files = await openContentFiles(join(directory, 'packages'), 2 * 1024 ** 3);
  onboarding = createOnboarding({
    store,
    files,
    read: readPackage,
    checkService: (service, functions) =>
      functions.length > 0
        ? []
        : [
            {
              rule: 'unsatisfied-version',
              severity: 'error',
              file: 'descriptor.yaml',
              pointer: '/functions/0/function',
              message: `${service.functions[0]?.function ?? ''} is not onboarded`,
              remedy: 'onboard it first',
            },
          ],
    clock: systemClock,
    ids: randomIds,
    log: silentLogger,
  });
  await onboarding.recover();
  api = await startTestApi({ store, routes: () => packageRoutes({ state: store, onboarding, files }) });
  operator = api.clientFor('operator');
}

async function create(path = PACKAGES): Promise<string> {
  const { body } = await operator.post<{ id: string }>(path, {});
  return body.id;
}

async function upload(
  id: string,
  content: string | Uint8Array<ArrayBuffer>,
  contentType: string,
  path = PACKAGES,
) {
  const target = `${path}/${id}/${path === PACKAGES ? 'package_content' : 'nsd_content'}`;
  const { status } = await operator.put(target, { content, contentType });
  await onboarding.whenIdle();
  return status;
}

async function onboard(yaml: string, path = PACKAGES): Promise<string> {
  const id = await create(path);
  expect(await upload(id, yaml, 'application/yaml', path)).toBe(202);
  return id;
}

const show = async (id: string): Promise<VnfPkgInfo> =>
  (await operator.get<VnfPkgInfo>(`${PACKAGES}/${id}`)).body;

/** A package with one artifact. */
async function zip(
  version = '1.0.0',
  artifact: string | Buffer = 'console.log(1)',
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(directory, 'build-'));
  await mkdir(join(folder, 'artifacts'));
  await writeFile(join(folder, 'descriptor.yaml'), functionYaml(version, ', files: main.tgz'));
  await writeFile(join(folder, 'artifacts', 'main.tgz'), artifact);
  const file = join(directory, `${version}.zip`);
  expect((await buildPackage(folder, file)).filter(({ severity }) => severity === 'error')).toEqual([]);
  return new Uint8Array(await readFile(file));
}

const listFiles = async (folder: string): Promise<string[]> =>
  await readdir(join(directory, 'packages', folder));

describe('onboarding of a package', () => {
  test('goes from CREATED over the upload to ONBOARDED, and its descriptor and content can be read', async () => {
    const id = await create();
    expect((await show(id)).onboardingState).toBe('CREATED');
    expect((await operator.get(`${PACKAGES}/${id}/vnfd`)).status).toBe(409);
    expect(await upload(id, functionYaml(), 'application/yaml')).toBe(202);
    expect(await show(id)).toMatchObject({
      onboardingState: 'ONBOARDED',
      operationalState: 'ENABLED',
      usageState: 'NOT_IN_USE',
      vnfProductName: 'echo',
      vnfSoftwareVersion: '1.0.0',
    });
    expect((await operator.get(`${PACKAGES}/${id}/vnfd`)).body).toBe(functionYaml());
    const part = await operator.get(`${PACKAGES}/${id}/package_content`, { headers: { Range: 'bytes=0-9' } });
    expect([part.status, part.body]).toEqual([206, functionYaml().slice(0, 10)]);
    expect(
      (
        await operator.put(`${PACKAGES}/${id}/package_content`, {
          content: 'x',
          contentType: 'application/yaml',
        })
      ).status,
    ).toBe(409);
  });

  test('of a ZIP keeps its artifacts by digest, once for all packages that hold them', async () => {
    const ids = [await create(), await create()] as const;
    expect(await upload(ids[0], await zip('1.0.0'), 'application/zip')).toBe(202);
    expect(await upload(ids[1], await zip('1.1.0'), 'application/zip')).toBe(202);
    const [artifact] =
      store.get('vnf-package', ids[0])?.document.artifacts.filter(({ path }) => path.endsWith('main.tgz')) ??
      [];
    const shared = await files.openArtifact(artifact?.digest ?? '');
    expect(await readFile(shared.path, 'utf8')).toBe('console.log(1)');
    const { status, body } = await operator.get(`${PACKAGES}/${ids[1]}/artifacts/${artifact?.path ?? ''}`);
    expect([status, body]).toEqual([200, 'console.log(1)']);
    await remove(ids[0]);
    expect((await files.openArtifact(artifact?.digest ?? '')).sizeBytes).toBe(14);
    await remove(ids[1]);
    await expect(files.openArtifact(artifact?.digest ?? '')).rejects.toThrow('there is no artifact');
    expect(
      await Promise.all(['incoming', 'content', 'unpacked', 'descriptors', 'artifacts'].map(listFiles)),
    ).toEqual([[], [], [], [], []]);
  });

  test.each([
    '..%2f..%2fadmin.token',
    '%252e%252e/admin.token',
    'Artifacts/..%2f..%2f..%2fetc/passwd',
    '%00',
  ])('gives no file for the path %s, which it does not hold', async (path) => {
    const id = await create();
    await upload(id, await zip(), 'application/zip');
    expect((await operator.get(`${PACKAGES}/${id}/artifacts/${path}`)).status).toBe(404);
  });

  test('ends in ERROR with all faults, leaves no file, and may be repeated', async () => {
    const broken = functionYaml().replace('memory: 64Mi', 'memroy: 64Mi').replace('role: ae', 'role: boss');
    const id = await onboard(broken);
    const { onboardingState, onboardingFailureDetails } = await show(id);
    expect(onboardingState).toBe('ERROR');
    expect(onboardingFailureDetails?.faults?.map(({ file, line }) => [file, line])).toEqual(
      expect.arrayContaining([
        ['descriptor.yaml', 9],
        ['descriptor.yaml', 13],
      ]),
    );
    expect(await listFiles('content')).toEqual([]);
    expect(await upload(id, functionYaml(), 'application/yaml')).toBe(202);
    expect((await show(id)).onboardingState).toBe('ONBOARDED');
    expect((await show(id)).onboardingFailureDetails).toBeUndefined();
  });

  test('of a descriptor that is onboarded already ends in ERROR with status 409', async () => {
    await onboard(functionYaml());
    const { onboardingState, onboardingFailureDetails } = await show(await onboard(functionYaml()));
    expect([onboardingState, onboardingFailureDetails?.status]).toEqual(['ERROR', 409]);
  });

  test('of what is sent under the wrong type, or is the wrong kind, ends in ERROR', async () => {
    const id = await create();
    await upload(id, functionYaml(), 'application/zip');
    expect((await show(id)).onboardingFailureDetails?.detail).toContain(
      'was sent as application/zip and is application/yaml',
    );
    const { onboardingFailureDetails } = await show(await onboard(serviceYaml()));
    expect(onboardingFailureDetails?.detail).toContain('/nsd/v2/ns_descriptors');
  });

  test('an Idempotency-Key creates one package however often it is sent', async () => {
    const headers = { 'Idempotency-Key': 'one' };
    const answers = await Promise.all(
      [1, 2, 3].map(() => operator.post<VnfPkgInfo>(PACKAGES, {}, { headers })),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect([...store.list('vnf-package')]).toHaveLength(1);
    expect((await operator.post(PACKAGES, { userDefinedData: { a: 1 } }, { headers })).status).toBe(422);
  });
});

describe('enabling, use and deletion', () => {
  test('only a DISABLED package that is not in use can be deleted', async () => {
    const id = await onboard(functionYaml());
    expect((await operator.delete(`${PACKAGES}/${id}`)).status).toBe(409);
    expect((await operator.patch(`${PACKAGES}/${id}`, { operationalState: 'DISABLED' })).status).toBe(200);
    expect((await operator.patch(`${PACKAGES}/${id}`, { operationalState: 'DISABLED' })).status).toBe(409);
    store.commit([
      {
        op: 'create',
        kind: 'vnf-instance',
        id: 'vnf-1',
        tenant: 'default' as TenantId,
        document: {
          name: 'echo',
          description: '',
          vnfPkgId: id as VnfPkgId,
          instantiationState: 'NOT_INSTANTIATED',
          config: {},
          constraints: {},
          bind: {},
          credentials: {},
          wanted: [],
          generations: 0,
          metadata: {},
        },
      },
    ]);
    expect((await show(id)).usageState).toBe('IN_USE');
    const refused = await operator.delete<{ detail: string }>(`${PACKAGES}/${id}`);
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('IN_USE')]);
  });

  test('If-Match guards a change, and user defined data is merged', async () => {
    const id = await onboard(functionYaml());
    const { headers } = await operator.get(`${PACKAGES}/${id}`);
    const match = { headers: { 'If-Match': headers['etag'] ?? '' } };
    expect(
      (await operator.patch(`${PACKAGES}/${id}`, { userDefinedData: { a: 1, b: { c: 2 } } }, match)).status,
    ).toBe(200);
    expect((await operator.patch(`${PACKAGES}/${id}`, { userDefinedData: { z: 1 } }, match)).status).toBe(
      412,
    );
    const { body } = await operator.patch(`${PACKAGES}/${id}`, { userDefinedData: { a: null, b: { d: 3 } } });
    expect(body).toEqual({ userDefinedData: { b: { c: 2, d: 3 } } });
  });

  test('another tenant finds nothing', async () => {
    const id = await onboard(functionYaml());
    const foreigner = api.clientFor('admin', 'other');
    expect((await foreigner.get(`${PACKAGES}/${id}`)).status).toBe(404);
    expect((await foreigner.get(PACKAGES)).body).toEqual([]);
  });

  test('lists are filtered and trimmed', async () => {
    await onboard(functionYaml('1.0.0'));
    await onboard(functionYaml('2.0.0'));
    const { body } = await operator.get<VnfPkgInfo[]>(PACKAGES, {
      query: { filter: '(eq,vnfSoftwareVersion,2.0.0)' },
    });
    expect(body.map((item) => [item.vnfSoftwareVersion, item.checksum])).toEqual([['2.0.0', undefined]]);
    const all = await operator.get<VnfPkgInfo[]>(PACKAGES, { query: { all_fields: '' } });
    expect(all.body.every((item) => item.checksum?.algorithm === 'SHA-256')).toBe(true);
    expect((await operator.get(PACKAGES, { query: { filter: '(eq,nonsense,1)' } })).status).toBe(400);
  });
});

describe('service descriptors', () => {
  test('are checked against the functions that are onboarded, and name the packages', async () => {
    const early = await onboard(serviceYaml(), DESCRIPTORS);
    const refused = (await operator.get<NsdInfo>(`${DESCRIPTORS}/${early}`)).body;
    expect(refused.nsdOnboardingState).toBe('ERROR');
    expect(refused.onboardingFailureDetails?.faults?.map(({ rule }) => rule)).toContain(
      'unsatisfied-version',
    );
    const pkg = await onboard(functionYaml('1.2.0'));
    await onboard(functionYaml('2.0.0'));
    await upload(early, serviceYaml(), 'application/yaml', DESCRIPTORS);
    const { nsdOnboardingState, vnfPkgIds } = (await operator.get<NsdInfo>(`${DESCRIPTORS}/${early}`)).body;
    expect([nsdOnboardingState, vnfPkgIds]).toEqual(['ONBOARDED', [pkg]]);
    expect(store.get('ns-descriptor', early as NsdInfoId)?.document.descriptor?.functions).toHaveLength(1);
  });
});

describe('what is interrupted', () => {
  test('an upload that a crash cuts off is ERROR after the restart, and leaves no file', async () => {
    const id = await create();
    const abort = new AbortController();
    const endless = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        controller.enqueue(new Uint8Array(KIBIBYTE));
      },
    });
    const cut = operator
      .put(`${PACKAGES}/${id}/package_content`, {
        content: endless,
        contentType: 'application/zip',
        signal: abort.signal,
      })
      .catch(() => undefined);
    await expect.poll(() => listFiles('incoming')).toEqual([id]);
    await store.whenDurable();
    await writeFile(join(directory, 'packages', 'artifacts', 'a'.repeat(64)), 'stray');
    const crashed = api;
    store = createMemoryStore({ disk: store.disk });
    await open();
    expect(await Promise.all(['incoming', 'content', 'unpacked', 'artifacts'].map(listFiles))).toEqual([
      [],
      [],
      [],
      [],
    ]);
    expect(await show(id)).toMatchObject({
      onboardingState: 'ERROR',
      onboardingFailureDetails: { status: 503 },
    });
    abort.abort();
    await cut;
    await crashed.close();
  });

  test('an upload that the client breaks off is ERROR and leaves no file', async () => {
    const id = await create();
    const abort = new AbortController();
    const slow = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        controller.enqueue(new Uint8Array(KIBIBYTE));
      },
    });
    const cut = operator
      .put(`${PACKAGES}/${id}/package_content`, {
        content: slow,
        contentType: 'application/zip',
        signal: abort.signal,
      })
      .catch(() => undefined);
    await expect.poll(() => listFiles('incoming')).toEqual([id]);
    abort.abort();
    await cut;
    await expect.poll(async () => (await show(id)).onboardingState).toBe('ERROR');
    expect(await listFiles('incoming')).toEqual([]);
  });

  test('what was being processed at a crash is processed again', async () => {
    const id = await create();
    const bytes = await zip();
    const record = onboarding.get('vnf-package', 'default' as TenantId, id);
    const received = await files.receive(
      id,
      Readable.from([Buffer.from(bytes)]),
      new AbortController().signal,
    );
    store.commit([
      {
        op: 'put',
        kind: 'vnf-package',
        id,
        tenant: record.tenant,
        document: {
          ...(store.get('vnf-package', id)?.document ?? ({} as never)),
          onboardingState: 'PROCESSING',
          content: { ...received, mediaType: 'application/zip' },
        },
      },
    ]);
    await store.whenDurable();
    await api.close();
    store = createMemoryStore({ disk: store.disk });
    await open();
    await onboarding.whenIdle();
    expect((await show(id)).onboardingState).toBe('ONBOARDED');
  });
});

test('a package of 300 MiB costs far less memory than it is large', { timeout: 60_000 }, async () => {
  const file = join(directory, 'large.zip');
  await writeLargePackage(file, 300 * KIBIBYTE);
  const id = await create();
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
  const status = await uploadFromOtherProcess(file, `${api.url}${PACKAGES}/${id}/package_content`);
  await onboarding.whenIdle();
  clearInterval(watch);
  expect(status).toBe('202');
  expect((await show(id)).onboardingFailureDetails).toBeUndefined();
  expect((await show(id)).onboardingState).toBe('ONBOARDED');
  expect(peak - before).toBeLessThan(150 * KIBIBYTE * KIBIBYTE);
});

/** So that the memory of the client is not counted. */
async function uploadFromOtherProcess(file: string, url: string): Promise<string> {
  const script = `
    const [file, url, token] = process.argv.slice(1);
    const request = require('node:http').request(url, { method: 'PUT', headers: { authorization: 'Bearer ' + token,
      'content-type': 'application/zip', 'content-length': require('node:fs').statSync(file).size } }, (response) => {
      process.stdout.write(String(response.statusCode)); response.resume(); });
    require('node:fs').createReadStream(file).pipe(request);`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    script,
    file,
    url,
    api.tokenFor('operator'),
  ]);
  return stdout;
}

async function writeLargePackage(file: string, kibibytes: number): Promise<void> {
  const { createHash } = await import('node:crypto');
  const block = Buffer.alloc(KIBIBYTE * 64, 'x');
  const content = function* () {
    for (let written = 0; written < kibibytes; written += 64) yield block;
  };
  const hash = createHash('sha256');
  for (const chunk of content()) hash.update(chunk);
  const descriptor = functionYaml('3.0.0', ', files: big.bin');
  const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
  const meta =
    'TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: test\nEntry-Definitions: Definitions/descriptor.yaml\nETSI-Entry-Manifest: descriptor.mf\n';
  const manifest = [
    'metadata:',
    '  vnf_product_name: echo',
    '  vnf_provider_id: iotmano',
    '  vnf_package_version: 3.0.0',
    '  vnf_release_date_time: 1980-01-01T00:00:00Z',
    '',
    ...[
      ['TOSCA-Metadata/TOSCA.meta', hashOf(meta)],
      ['Definitions/descriptor.yaml', hashOf(descriptor)],
      ['Artifacts/big.bin', hash.digest('hex')],
    ].flatMap(([path, digest]) => [`Source: ${path}`, 'Algorithm: SHA-256', `Hash: ${digest}`, '']),
  ].join('\n');
  const archive = new ZipFile();
  archive.addBuffer(Buffer.from(meta), 'TOSCA-Metadata/TOSCA.meta');
  archive.addBuffer(Buffer.from(manifest), 'descriptor.mf');
  archive.addBuffer(Buffer.from(descriptor), 'Definitions/descriptor.yaml');
  archive.addReadStream(Readable.from(content()), 'Artifacts/big.bin', { compress: false });
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(file));
}

async function remove(id: string): Promise<void> {
  expect((await operator.patch(`${PACKAGES}/${id}`, { operationalState: 'DISABLED' })).status).toBe(200);
  expect((await operator.delete(`${PACKAGES}/${id}`)).status).toBe(204);
}
