import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { initPki, issueCertificate, readServer } from '../../pki/index.ts';
import { createTransport, type ClientIdentity } from './transport.ts';

const POLL_MILLISECONDS = 60;
let directory: string;
let server: Server;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pool-'));
  await initPki(directory, ['127.0.0.1'], { now: () => Date.now(), random: randomBytes });
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function newIdentity(): Promise<ClientIdentity> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [notBefore, notAfter] = [Date.now() - 60_000, Date.now() + 60_000];
  const use = { type: 'client', uri: 'urn:iotmano:host:gw-1' } as const;
  const request = { commonName: 'gw-1', publicKey: privateKey, use, notBefore, notAfter };
  const cert = await issueCertificate({ ...request, serial: randomBytes(16) }, { privateKey });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}

// MCO-C-001
it('has two connections at most while the certificate of the host is replaced, and shows the new one', async () => {
  const open = new Set<TLSSocket>();
  const shownTo: (string | undefined)[] = [];
  let most = 0;
  const options = { ...readServer(directory), requestCert: true, rejectUnauthorized: false };
  server = createServer(options, ({ url, socket }, response) => {
    if (url !== '/poll') shownTo.push((socket as TLSSocket).getPeerX509Certificate()?.fingerprint256);
    setTimeout(() => response.end(), url === '/poll' ? POLL_MILLISECONDS : 0);
  });
  server.on('secureConnection', (socket) => {
    open.add(socket);
    most = Math.max(most, open.size);
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const serverUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let identity: ClientIdentity | undefined;
  const transport = createTransport({ serverUrl, caFile: join(directory, 'ca.crt') }, () => identity);
  const ask = (path: string): Promise<unknown> =>
    transport.send({ method: 'GET', path, headers: {}, timeoutMilliseconds: 5000 });
  for (let round = 0; round < 6; round += 1) {
    const poll = ask('/poll');
    await ask('/first');
    identity = await newIdentity();
    await Promise.all([ask('/second'), ask('/third'), poll]);
    await Promise.all([ask('/fourth'), ask('/fifth')]);
  }
  transport.close();
  expect(most).toBeLessThanOrEqual(2);
  // Each of the six certificates, and at first none.
  expect(new Set(shownTo).size).toBe(7);
});
