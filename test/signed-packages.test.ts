import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildPackage } from '../descriptors/index.ts';
import { silentLogger } from '../kernel/index.ts';
import { runOrchestrator } from '../orchestrator/index.ts';
import { createApiClient, type ApiClient } from './kit/api-client.ts';
import { isServiceMissing } from './kit/services.ts';

const PACKAGES = '/vnfpkgm/v2/vnf_packages';
const DESCRIPTOR = `apiVersion: iotmano/v1
kind: IoTFunctionDescriptor
metadata: { invariantId: urn:test:function:echo, provider: test, productName: echo, softwareVersion: 1.0.0, descriptorVersion: 1.0.0, role: ae }
units:
  - name: echo
    artifacts: [{ type: process, command: [node, main.js], files: echo.tgz }]
    resources: { cpu: 100m, memory: 64Mi }
`;

interface Onboarded {
  readonly id: string;
  readonly onboardingState: string;
  readonly onboardingFailureDetails?: { readonly faults?: readonly { readonly rule: string }[] };
}

let directory: string;
const at = (name: string) => join(directory, name);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'iotmano-signed-'));
  await mkdir(at('echo/artifacts'), { recursive: true });
  await writeFile(at('echo/descriptor.yaml'), DESCRIPTOR);
  await writeFile(at('echo/artifacts/echo.tgz'), 'not really a tar');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const listen = { host: '127.0.0.1', port: 0 };
const startTrusting = (...trustFiles: readonly string[]) =>
  runOrchestrator({
    listen,
    dataDirectory: at('data'),
    log: silentLogger,
    packageSignatures: { required: true, trustFiles },
  });

async function onboard(api: ApiClient, file: string): Promise<Onboarded> {
  const { body: created } = await api.post<Onboarded>(PACKAGES, {});
  const content = new Uint8Array(await readFile(file));
  await api.put(`${PACKAGES}/${created.id}/package_content`, { content, contentType: 'application/zip' });
  for (let attempt = 0; attempt < 200; attempt++) {
    const { body } = await api.get<Onboarded>(`${PACKAGES}/${created.id}`);
    if (body.onboardingState === 'ONBOARDED' || body.onboardingFailureDetails !== undefined) return body;
    await sleep(25);
  }
  throw new Error(`${file} was not processed`);
}

describe.skipIf(isServiceMissing('openssl'))('an orchestrator that demands signatures', () => {
  it('onboards a package of a trusted signer, and keeps nothing of one without signature', async () => {
    const files = ['-keyout', at('me.key'), '-out', at('me.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    execFileSync('openssl', ['req', '-x509', '-nodes', '-subj', '/CN=me', ...curve, ...files], {
      stdio: 'pipe',
    });
    const signer = {
      key: await readFile(at('me.key'), 'utf8'),
      certificates: await readFile(at('me.pem'), 'utf8'),
    };
    await buildPackage(at('echo'), at('signed.zip'), { signer });
    await buildPackage(at('echo'), at('unsigned.zip'));

    const orchestrator = await startTrusting(at('me.pem'));
    try {
      const token = (await readFile(orchestrator.adminTokenFile, 'utf8')).trim();
      const api = createApiClient(orchestrator.url, token);
      const refused = await onboard(api, at('unsigned.zip'));
      expect(refused.onboardingFailureDetails?.faults).toMatchObject([{ rule: 'package/unsigned' }]);
      expect(await readdir(at('data/packages/artifacts'))).toEqual([]);
      expect(await onboard(api, at('signed.zip'))).toMatchObject({ onboardingState: 'ONBOARDED' });
    } finally {
      await orchestrator.close();
    }
  });
});

describe('an orchestrator does not start', () => {
  it('when nobody is trusted and signatures are demanded', async () => {
    await expect(startTrusting()).rejects.toThrow(/name the certificates/);
  });

  it('when what it is to trust is no certificate', async () => {
    await expect(startTrusting(at('echo/descriptor.yaml'))).rejects.toThrow(/no certificate/);
    await expect(startTrusting(at('missing.pem'))).rejects.toThrow(/cannot be read/);
    expect(await readdir(directory)).toEqual(['echo']);
  });
});
