/** Who this host is: hostId and key pair on its disk, pinned stateId, one agent per data directory. */
export { lockDataDirectory, type DataDirectoryLock } from './lock.ts';
export type { CertificateFile, HostCertificate } from './certificate-file.ts';
export { sealingKey, type SealingKey, type SealingKeys } from './sealing-keys.ts';
export { openIdentity, type HostIdentity, type IdentityDocument } from './identity.ts';
