/**
 * A cache as one would write it in an afternoon, on grpc-js and Node.js: the same method over a Map. It does not decode
 * messages: the bytes of a request are the key. Prints its port.
 */
const { Server, ServerCredentials } = require("@grpc/grpc-js");

const [path, responseBytes] = process.argv.slice(2);
const bytes = (message) => message;
const methods = {
  Get: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
};

const entries = new Map();
const server = new Server();
server.addService(methods, {
  Get({ request }, callback) {
    const key = request.toString("latin1");
    let value = entries.get(key);
    if (value === undefined) {
      value = Buffer.alloc(Number(responseBytes), "a");
      entries.set(key, value);
    }
    callback(null, value);
  },
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
