/** Templates alone, for hosts that resolve some and read no descriptors: the rest of this room costs them 20 MiB. */
export { resolveTemplate } from './resolve-template.ts';
