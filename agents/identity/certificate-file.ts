import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFileDurably } from '../../vim-drivers/host-files/index.ts';
import { STATE_FORMATS } from '../state-formats.ts';
import { readVersioned, type Versioned } from '../versioned-file.ts';

/** The certificate that the orchestrator issued for the host's key. */
export interface HostCertificate {
  /** PEM. */
  readonly certificate: string;
  /** RFC 3339, by the orchestrator's clock. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/** `certificate.json` in the data directory. */
export interface CertificateFile {
  readonly current: HostCertificate | undefined;
  /** Durable when it resolves. */
  save(certificate: HostCertificate): Promise<void>;
  clear(): Promise<void>;
}

const FORMAT: Versioned<HostCertificate> = {
  version: STATE_FORMATS.certificate,
  upcasters: {},
  parse: ({ certificate, notBefore, notAfter }) => {
    if (typeof certificate !== 'string' || typeof notBefore !== 'string' || typeof notAfter !== 'string')
      throw new TypeError('it lacks certificate, notBefore or notAfter');
    return { certificate, notBefore, notAfter };
  },
};

/** @throws IotmanoError `store-newer`, `store-failed` */
export async function openCertificateFile(dataDirectory: string): Promise<CertificateFile> {
  const path = join(dataDirectory, 'certificate.json');
  let current = await readVersioned(path, FORMAT);
  return {
    get current() {
      return current;
    },
    async save(certificate) {
      await replaceFileDurably(path, JSON.stringify({ schemaVersion: FORMAT.version, ...certificate }));
      current = certificate;
    },
    async clear() {
      await rm(path, { force: true });
      current = undefined;
    },
  };
}
