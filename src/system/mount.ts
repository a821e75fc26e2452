/**
 * A mount as plain data. `target` is absent on the mount that has the tree: whoever makes it chooses where.
 * `folder` is the directory relative to which paths in `options` are to be read, where any are relative.
 */
export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
  readonly target?: string | undefined;
  readonly folder?: string | undefined;
}
