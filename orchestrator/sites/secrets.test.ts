import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VimId } from '../../kernel/index.ts';
import { createSecretBox, loadSecretsKey } from './index.ts';
import { redactor } from './vim-access.ts';

const VIM = 'cloud-1' as VimId;
const ACCESS = { bearerToken: 'a-token-of-a-cluster' };

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'iotmano-secrets-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (): string => join(directory, 'secrets.key');
const load = () => loadSecretsKey(directory, randomBytes);

describe('the key of credentials', () => {
  it('is made once, for its owner only, and is the same from then on', async () => {
    const sealed = await createSecretBox(load()).seal(VIM, ACCESS);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const text = readFileSync(file(), 'utf8');
    chmodSync(file(), 0o644);
    expect(await createSecretBox(load()).open(VIM, sealed)).toEqual(ACCESS);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readFileSync(file(), 'utf8')).toBe(text);
  });

  it.each(['', 'no key', 'x'.repeat(43), `${randomBytes(31).toString('base64url')}\n`])(
    'is not replaced where the file holds none (%j), and everything says what to do',
    async (content) => {
      writeFileSync(file(), content);
      const key = load();
      expect(key).toMatchObject({
        type: 'unusable',
        reason: expect.stringContaining('put the right file back'),
      });
      expect(readFileSync(file(), 'utf8')).toBe(content);
      await expect(createSecretBox(key).seal(VIM, ACCESS)).rejects.toMatchObject({ code: 'unavailable' });
    },
  );
});

describe('sealed credentials', () => {
  const box = () => createSecretBox({ type: 'key', key: randomBytes(32) });

  it('tell nothing, and are opened for their own VIM, with their own key, unchanged, only', async () => {
    const own = box();
    const sealed = await own.seal(VIM, ACCESS);
    expect(Buffer.from(sealed.split('.')[3] ?? '', 'base64url').includes(ACCESS.bearerToken)).toBe(false);
    expect(await own.seal(VIM, ACCESS)).not.toBe(sealed);
    await expect(box().open(VIM, sealed)).rejects.toThrow(
      /sealed with key [0-9a-f]{12}, and secrets\.key is [0-9a-f]{12}/,
    );
    await expect(own.open('cloud-2' as VimId, sealed)).rejects.toThrow(/those of VIM cloud-1/);
    for (const broken of [sealed.slice(0, -2), 'x.y', '', sealed.replace('..', '.x.')])
      await expect(own.open(VIM, broken)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('texts that leave a site', () => {
  it('hold no token, no key nor a line of it, and no secret of a kubeconfig', () => {
    const clientKey =
      '-----BEGIN PRIVATE KEY-----\nMIIfirstLine\nsecondLineOfIt\n-----END PRIVATE KEY-----\n';
    const kubeconfig =
      'users: [{name: u, user: {token: t-o-k-e-n, password: pass-word, client-key-data: a2V5a2V5}}]';
    expect(redactor(ACCESS)(`Bearer ${ACCESS.bearerToken}!`)).toBe('Bearer [secret]!');
    expect(redactor({ clientKey })('bad line secondLineOfIt')).toBe('bad line [secret]');
    expect(redactor({ kubeconfig })('t-o-k-e-n pass-word a2V5a2V5 u')).toBe('[secret] [secret] [secret] u');
    expect(redactor({})('nothing to hide')).toBe('nothing to hide');
  });
});
