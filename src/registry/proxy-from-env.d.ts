declare module 'proxy-from-env' {
  /** The proxy's URL, or the empty string where none is to be used. */
  export function getProxyForUrl(url: string): string;
}
