// On a terminal @oclif/core makes a spinner as it is loaded, and reads these two of cli-spinners for it.
module.exports = { dots2: { frames: [] }, line: { frames: [] } };
