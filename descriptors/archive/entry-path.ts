/** Why a path of an entry is refused, or nothing. Folders end in `/`. */
export function pathProblem(raw: Uint8Array): string | undefined {
  const path = decodePath(raw);
  if (path === undefined) return 'is not UTF-8';
  if (path === '') return 'is empty';
  if (raw.length > 255) return 'is longer than 255 bytes';
  if (path.includes('\\')) return 'holds a backslash';
  if (path.startsWith('/')) return 'is absolute';
  if (/^[A-Za-z]:/.test(path)) return 'names a drive';
  if (/[\u0000-\u001f\u007f:*?"<>|]/.test(path)) return 'holds a character that is not portable';
  const parts = path.replace(/\/$/, '').split('/');
  if (parts.includes('..')) return 'leaves the package';
  if (parts.some((part) => part === '' || part === '.')) return 'holds an empty part or "."';
  if (parts.some((part) => /[. ]$/.test(part))) return 'has a part that ends in a dot or a space';
  return undefined;
}

/** The path as text; nothing where it is not UTF-8. */
export function decodePath(raw: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return undefined;
  }
}

/** Paths that some file system takes for the same have the same key. */
export function foldPath(path: string): string {
  return path.replace(/\/$/, '').normalize('NFKC').toLowerCase().toUpperCase().toLowerCase();
}
