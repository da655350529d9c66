import type { HostId } from '../../../kernel/index.ts';
import type { AccountKeys } from './account-keys.ts';
import { enrolmentUserJwt } from './claims.ts';

/**
 * What a host enrols over NATS with, as one text: its token, `~`, and a JWT that opens its enrolment and nothing else for as long as the
 * token is good.
 * @param expiresAt RFC 3339
 */
export async function enrolmentCredential(
  keys: AccountKeys,
  hostId: HostId,
  token: string,
  expiresAt: string,
): Promise<string> {
  return `${token}~${await enrolmentUserJwt(keys, hostId, token, Date.parse(expiresAt))}`;
}
