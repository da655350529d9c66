import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { silentLogger, systemClock, type HostId } from '../../kernel/index.ts';
import { isServiceMissing } from '../../test/kit/services.ts';
import { nextFence, sampleWorkload } from '../conformance-site.ts';
import { createDockerDriver, type DockerDriver, type DockerEndpoint } from './index.ts';
import { endpointOf, engineAtHand, NO_ARTIFACTS } from './testkit.ts';

const run = promisify(execFile);

function open(endpoint: DockerEndpoint): Promise<DockerDriver> {
  return createDockerDriver({
    hostId: 'host-1' as HostId,
    scope: 'endpoints',
    endpoint,
    artifacts: NO_ARTIFACTS,
    clock: systemClock,
    log: silentLogger,
  });
}

describe('an engine that nobody reaches', () => {
  it('opens, and is unavailable in every call, at once', async () => {
    const driver = await open({ type: 'socket', path: '/nowhere/docker.sock' });
    const site = {
      artifact: (command: readonly string[]) => ({ type: 'container', image: 'a', command }) as const,
    };
    const workload = sampleWorkload(site);
    try {
      const calls = await Promise.allSettled<unknown>([
        driver.list(),
        driver.inventory(),
        driver.capabilities(),
        driver.usage(workload.key),
        driver.apply(workload, nextFence()),
        driver.remove(workload.key, nextFence()),
        driver.logs(workload.key, { slot: 0, follow: true })[Symbol.asyncIterator]().next(),
      ]);
      const codes = calls.map((call) =>
        call.status === 'rejected' ? (call.reason as { code: string }).code : 'well',
      );
      expect(new Set(codes)).toEqual(new Set(['unavailable']));
    } finally {
      await driver.close();
    }
  });
});

describe.skipIf(isServiceMissing('docker') || isServiceMissing('openssl'))('an engine behind TLS', () => {
  it('is spoken to with the certificates of the endpoint, and not without', { timeout: 60_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'iotmano-tls-'));
    const names = ['key', 'certificate'].map((name) => join(directory, `${name}.pem`));
    const [keyFile = '', certificateFile = ''] = names;
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      keyFile,
      '-out',
      certificateFile,
    ]);
    const [key = '', certificate = ''] = await Promise.all(names.map((name) => readFile(name, 'utf8')));
    const engine = endpointOf(engineAtHand());
    const sockets = new Set<TLSSocket>();
    const server = createServer({ key, cert: certificate, ca: certificate, requestCert: true }, (near) => {
      sockets.add(near);
      const far = connect(
        engine.type === 'socket' ? { path: engine.path } : { host: engine.host, port: engine.port },
      );
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const drivers: DockerDriver[] = [];
    try {
      const trusted = await open({
        type: 'tcp',
        host: 'localhost',
        port,
        tls: { ca: certificate, certificate, key },
      });
      drivers.push(trusted);
      expect(await trusted.list()).toEqual([]);
      expect((await trusted.inventory())[0]?.capacity.cpuMillis).toBeGreaterThan(0);
      for (const tls of [{ certificate, key }, { ca: certificate }]) {
        const stranger = await open({ type: 'tcp', host: 'localhost', port, tls });
        drivers.push(stranger);
        await expect(stranger.list()).rejects.toMatchObject({ code: 'unavailable' });
      }
    } finally {
      await Promise.all(drivers.map((driver) => driver.close()));
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    }
  });
});
