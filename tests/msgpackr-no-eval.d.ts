declare module 'msgpackr/unpack-no-eval' {
  export { unpack } from 'msgpackr';
}
