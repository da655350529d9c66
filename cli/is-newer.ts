import gt from 'semver/functions/gt.js';
import valid from 'semver/functions/valid.js';

/** Whether a version comes after another one (SemVer); what is no version comes after none, and before none. */
export function isNewer(version = '', other = ''): boolean {
  return valid(version) !== null && valid(other) !== null && gt(version, other);
}
