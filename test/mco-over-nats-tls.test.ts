/** Mco over a server of NATS that speaks TLS only. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNatsBench, eventually, type NatsBench, type NatsOrchestrator } from './kit/nats-bench.ts';
import { isServiceMissing } from './kit/services.ts';

const REQUEST = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=nats';

let bench: NatsBench;
let orchestrator: NatsOrchestrator;
let certificate: string;

function makeTls(folder: string): { certFile: string; keyFile: string } {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', [...REQUEST.split(' '), ...names], { stdio: 'ignore' });
  certificate = certFile;
  return { certFile, keyFile };
}

const isMissing = isServiceMissing('nats-server') || isServiceMissing('openssl');

describe.skipIf(isMissing)('Mco over NATS and TLS', () => {
  beforeAll(async () => {
    bench = await createNatsBench({ makeTls });
    orchestrator = bench.startOrchestrator();
  });

  afterAll(() => bench.close());

  it('is spoken with servers whose authority is known, and with no others', async () => {
    const credential = await bench.credential(orchestrator, 'gw-1');
    const wary = await bench.agent('gw-1', credential);
    await expect(wary.sessions.envelope()).rejects.toMatchObject({ code: 'unavailable' });
    const trusting = await bench.agent('gw-1', credential, { caFile: certificate });
    await eventually(() => trusting.sessions.envelope());
    expect((await trusting.client.wanted({ waitSeconds: 0 })).wanted).toMatchObject({ full: true });
  });
});
