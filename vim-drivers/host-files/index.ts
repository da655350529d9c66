/** Files that drivers and agents keep on a host: replaced whole, or not at all. */
export { replaceFile, replaceFileDurably, syncDirectory } from './replace-file.ts';
