import type { VimId } from '../../kernel/index.ts';
import type { VimConnectionDocument } from '../domain/index.ts';
import type { SecretBox } from './secret-box.ts';
import { credentialsOf, type VimAccessInfo } from './vim-access.ts';

/** What the record of a connection holds of its credentials. */
export async function sealAccess(
  secrets: SecretBox,
  vimId: VimId,
  access: VimAccessInfo,
): Promise<Pick<VimConnectionDocument, 'credentials' | 'sealedAccess'>> {
  const credentials = credentialsOf(access);
  if (Object.keys(access).length === 0) return { credentials };
  return { credentials, sealedAccess: await secrets.seal(vimId, access) };
}
