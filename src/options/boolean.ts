/** Reads a boolean as Go's strconv.ParseBool does, which is what Docker's options take; undefined where it is none. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|true|True|TRUE)$/.test(text)) return true;
  if (/^(0|f|F|false|False|FALSE)$/.test(text)) return false;
  return undefined;
}
