import { createPrivateKey, type KeyObject } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { IotmanoError } from '../../kernel/index.ts';
import { replaceFileDurably } from '../../vim-drivers/host-files/index.ts';

/**
 * A private key (PEM), readable by its owner only; wider permissions are narrowed. Undefined where there is no file.
 * @throws IotmanoError `store-failed` where it cannot be used, with the remedy
 */
export async function readKeyFile(
  path: string,
  type: 'ed25519' | 'x25519',
  what: string,
  remedy: string,
): Promise<KeyObject | undefined> {
  try {
    const key = createPrivateKey(await readFile(path));
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    if (key.asymmetricKeyType !== type) throw new TypeError(`it is not a key of type ${type}`);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new IotmanoError('store-failed', `${what} ${path} cannot be used; ${remedy}`, { path }, error);
  }
}

/** Durable when it resolves. */
export async function writeKeyFile(path: string, key: KeyObject): Promise<void> {
  await replaceFileDurably(path, key.export({ type: 'pkcs8', format: 'pem' }).toString());
}
