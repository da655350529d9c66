/** Certificates for TLS: single ones, a directory with an authority, and the authority that issues certificates to hosts. */
export {
  initPki,
  issueServer,
  listCertificates,
  readHostsIssuer,
  readServer,
  renewServer,
  type ListedCertificate,
  type PkiSources,
} from './directory.ts';
export {
  issueCertificate,
  type CertificateRequest,
  type CertificateUse,
  type Issuer,
} from './certificate.ts';
export {
  createHostAuthority,
  hostIdOfCertificate,
  type HostAuthority,
  type HostCertificate,
} from './host-authority.ts';
