import type { Fault } from '../types.ts';

/** What can be wrong with a package as such, apart from its descriptor. docs/descriptors.md lists these. */
export const PACKAGE_RULES = {
  'package/not-a-package': 'The file is neither a ZIP nor a text.',
  'package/damaged': 'The ZIP is truncated, contradicts itself or cannot be unpacked.',
  'package/bad-path': 'A path leaves the package, is absolute, or holds characters that are not portable.',
  'package/link': 'An entry is a link or another special file.',
  'package/duplicate':
    'Two entries have the same path, or differ only in case, or one is the folder of the other.',
  'package/encrypted': 'An entry is encrypted.',
  'package/compression': 'An entry is compressed with another method than deflate.',
  'package/overlap': 'Entries share the same bytes of the ZIP.',
  'package/too-large': 'The package has more entries or bytes than is allowed, or an entry is a bomb.',
  'package/missing-meta':
    'There is no TOSCA-Metadata/TOSCA.meta, or it does not name descriptor and manifest.',
  'package/missing-manifest': 'There is no manifest, or it cannot be read.',
  'package/missing-descriptor': 'There is no descriptor in Definitions/.',
  'package/missing-digest': 'The manifest has no SHA-256 for a file of the package.',
  'package/wrong-digest': 'A file differs from the SHA-256 in the manifest.',
  'package/missing-file': 'The manifest lists a file that is not in the package.',
  'package/unchecked-signature': '*Warning.* The package is signed, and nobody has said whom to trust.',
  'package/unsigned': 'The operator demands a signature, and the package has none.',
  'package/bad-signature':
    'The signature of the manifest does not verify: it is damaged, weak, or the manifest was changed after signing.',
  'package/untrusted-signer': 'The signer does not chain to a certificate that the operator trusts.',
  'package/expired-certificate': 'A certificate of the signer is not valid now.',
  'missing-artifact': 'The descriptor names a file that is not below Artifacts/.',
  'unresolvable-template-file':
    'A file that `files[].template` names holds a `{{ … }}` that cannot be resolved, or is no text of at most 256 KiB.',
} as const;

export type PackageRule = keyof typeof PACKAGE_RULES;

/** @param file path in the package, or of the package itself */
export function packageFault(rule: PackageRule, file: string, message: string, remedy: string): Fault {
  return { rule, severity: 'error', file, pointer: '', message, remedy };
}
