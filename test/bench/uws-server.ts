/** Child process of the benches, a control row: uWebSockets.js alone. Publishes given bytes to all, echoes what it gets. */
import uWS from "uWebSockets.js";
import { serve } from "./server-process.ts";

const app = uWS.App();
app.ws("/*", {
  compression: uWS.DISABLED,
  maxPayloadLength: 64 * 1024,
  maxBackpressure: 256 * 1024,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  open: (ws) => void ws.subscribe("all"),
  message: (ws, message, isBinary) => void ws.send(message, isBinary),
});
app.listen("127.0.0.1", 0, (listening) => {
  if (listening === false) throw new Error("no port to listen on");
  serve(
    uWS.us_socket_local_port(listening),
    (bytes) => void app.publish("all", bytes, true),
    () => {
      app.close();
      process.exit(0);
    },
  );
});
