import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApiClient } from './kit/api-client.ts';

const CLI = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const PACKAGES = '/vnfpkgm/v2/vnf_packages';

let directory: string;
let running: ChildProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'iotmano-upload-crash-'));
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** Starts the orchestrator; resolves with its URL when it serves. */
async function up(): Promise<string> {
  const process_ = spawn(process.execPath, [CLI, 'up', '--listen', '127.0.0.1:0', '--data', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running = process_;
  return await new Promise((resolve, reject) => {
    let text = '';
    process_.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const url = /orchestrator on (http:\/\/\S+?),/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
    process_.once('exit', (code) => reject(new Error(`the orchestrator ended with ${code}: ${text}`)));
  });
}

async function kill(): Promise<void> {
  const ended = new Promise((resolve) => running?.once('exit', resolve));
  running?.kill('SIGKILL');
  await ended;
}

const client = async (url: string) =>
  createApiClient(url, (await readFile(join(directory, 'admin.token'), 'utf8')).trim());
const filesIn = (folder: string): Promise<string[]> => readdir(join(directory, 'packages', folder));

test(
  'an upload that kill -9 cuts off is ERROR after the restart, leaves no file, and may be repeated',
  { timeout: 60_000 },
  async () => {
    const url = await up();
    const { body } = await (await client(url)).post<{ id: string }>(PACKAGES, {});
    const content = `${PACKAGES}/${body.id}/package_content`;
    const token = (await readFile(join(directory, 'admin.token'), 'utf8')).trim();
    const upload = request(`${url}${content}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/zip',
        'content-length': 10_000_000,
      },
    });
    upload.on('error', () => undefined);
    upload.write(Buffer.alloc(1_000_000));
    await expect.poll(() => filesIn('incoming'), { timeout: 10_000 }).toEqual([body.id]);
    await kill();
    expect(await filesIn('incoming')).toEqual([body.id]);

    const again = await client(await up());
    const { body: after } = await again.get(`${PACKAGES}/${body.id}`);
    expect(after).toMatchObject({ onboardingState: 'ERROR', onboardingFailureDetails: { status: 503 } });
    expect([await filesIn('incoming'), await filesIn('content')]).toEqual([[], []]);
    const repeated = await again.put(content, { content: 'kind: nothing', contentType: 'application/yaml' });
    expect(repeated.status).toBe(202);
  },
);
