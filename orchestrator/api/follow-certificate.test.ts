import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/index.ts';
import { initPki, issueServer, readHostsIssuer, readServer, renewServer } from '../../pki/index.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { startTestApi, type TestApi } from '../../test/kit/api-server.ts';
import { followCertificate } from './follow-certificate.ts';

const sources = { now: () => Date.now(), random: randomBytes };
const clock = createFakeClock();
let directory: string;
let api: TestApi;
let stopping: AbortController;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'follow-'));
  await initPki(directory, ['127.0.0.1'], sources);
  const server = readServer(directory);
  api = await startTestApi({ routes: () => [], tls: server });
  stopping = new AbortController();
  void followCertificate(server, {
    read: () => readServer(directory),
    use: api.useCertificate,
    clock,
    log: silentLogger,
    signal: stopping.signal,
  });
});

afterEach(async () => {
  stopping.abort();
  await api.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The certificate that a new connection is shown. */
async function shown(): Promise<string> {
  const { hostname, port } = new URL(api.url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
  socket.destroy();
  return fingerprint;
}

it('shows a certificate that was renewed on disk, without a restart', async () => {
  const before = await shown();
  await renewServer(directory, 'server', sources);
  await clock.advance(60_000);
  const after = await shown();
  expect(after).not.toBe(before);
  await clock.advance(60_000);
  expect(await shown()).toBe(after);
});

it.each([
  ['a certificate without its key', 'server.key', () => readHostsIssuer(directory).privateKey],
  ['what is no certificate', 'server.crt', () => 'half of a fi'],
  ['nothing', 'server.crt', () => ''],
])(
  'goes on with the one before while there is %s, and takes what is good then',
  async (_what, file, content) => {
    const before = await shown();
    writeFileSync(join(directory, file), content());
    await clock.advance(90_000);
    expect(await shown()).toBe(before);
    await issueServer(directory, 'server', ['127.0.0.1'], sources);
    await clock.advance(60_000);
    expect(await shown()).not.toBe(before);
  },
);
