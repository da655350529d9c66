import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { IotmanoError, messageOf, type HostId } from '../../kernel/index.ts';
import { workloadId, type Bindings, type Workload } from '../../vim-drivers/index.ts';
import type { SealingKeys } from '../identity/index.ts';
import { sealedValues, type Assignment, type SealedValues } from '../mco-client/index.ts';

/** Who opens: sealed values are for one host. */
export interface Opener {
  readonly hostId: HostId;
  readonly keys: SealingKeys;
}

/**
 * The workloads of assignments with everything sealed in them opened; held in memory only.
 * @throws IotmanoError `unavailable` where something cannot be opened: nothing may be changed then, for a workload left out would be stopped
 */
export function openAssignments(
  assignments: readonly Assignment[],
  opener: Opener,
): Promise<readonly Workload[]> {
  return Promise.all(assignments.map((each) => openAssignment(each, opener)));
}

async function openAssignment({ workload, sealed }: Assignment, opener: Opener): Promise<Workload> {
  if (sealed === undefined) return { ...workload, bindings: withSecrets(workload.bindings) };
  const id = workloadId(workload.key);
  try {
    const values = await open(sealed, opener.keys);
    if (values.hostId !== opener.hostId || workloadId(values.workload) !== id)
      throw new TypeError(`it is for ${workloadId(values.workload)} on ${values.hostId}`);
    return { ...workload, bindings: withSecrets(workload.bindings, values) };
  } catch (error) {
    throw new IotmanoError(
      'unavailable',
      `what is sealed in the assignment of ${id} cannot be opened: ${messageOf(error)}; nothing is changed, and it is asked for anew`,
      { workload: id },
      error,
    );
  }
}

async function open(sealed: string, keys: SealingKeys): Promise<SealedValues> {
  const { kid = '' } = decodeProtectedHeader(sealed);
  const key = keys.find(kid);
  if (key === undefined)
    throw new TypeError(`it was sealed to key ${kid}, and the key here is ${keys.current.id}`);
  const { plaintext } = await compactDecrypt(sealed, key.privateKey, {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder().decode(plaintext));
  } catch {
    // The parser's own error would show a part of the content.
    throw new TypeError('its content is no JSON');
  }
  return sealedValues(content, '');
}

function withSecrets(
  { config, requires, clients }: Assignment['workload']['bindings'],
  sealed: Pick<SealedValues, 'config' | 'seeds'> = { config: {}, seeds: {} },
): Bindings {
  const opened = Object.entries(requires).map(([name, { credential, ...rest }]) => {
    const seed = sealed.seeds[name] ?? credential?.seed;
    const whole =
      credential === undefined || seed === undefined ? {} : { credential: { id: credential.id, seed } };
    return [name, { ...rest, ...whole }] as const;
  });
  return { config: { ...config, ...sealed.config }, requires: Object.fromEntries(opened), clients };
}

/** Whether something secret is not sealed to the current key: it came in the clear, or the key has changed since. */
export function needsSealing(assignments: readonly Assignment[], { current }: SealingKeys): boolean {
  return assignments.some(({ workload: { bindings }, sealed }) => {
    if (sealed !== undefined) return keyIdOf(sealed) !== current.id;
    return (
      Object.keys(bindings.config).length > 0 ||
      Object.values(bindings.requires).some(({ credential }) => credential?.seed !== undefined)
    );
  });
}

function keyIdOf(sealed: string): string | undefined {
  try {
    return decodeProtectedHeader(sealed).kid;
  } catch {
    return undefined;
  }
}
