// Browses, subscribes to, writes and calls a virtual plant with node-opcua, and prints what it found as JSON.
// Arguments: URL, unit, phase, a function of it, the start (ISO 8601), properties of the program as JSON,
// target values as JSON {tag: number}.
"use strict";
const {
  OPCUAClient, AttributeIds, DataType, VariantArrayType, TimestampsToReturn, DataChangeFilter, DataChangeTrigger,
  DeadbandType, NodeClass,
} = require("node-opcua-client");

const [url, unit, phase, tag, start, properties, targets] = process.argv.slice(2);

async function main() {
  const client = OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 1 } });
  await client.connect(url);
  const session = await client.createSession();
  const found = { units: {}, values: [], statuses: {} };
  const space = (await session.readNamespaceArray()).indexOf("urn:seedtrain:plant");
  const id = (path) => `ns=${space};s=${path}`;

  const di = (await session.readNamespaceArray()).indexOf("http://opcfoundation.org/UA/DI/");
  const devices = await session.browse(`ns=${di};i=5001`);
  for (const device of devices.references.filter((item) => item.nodeId.namespace === space)) {
    const name = device.browseName.name;
    const functions = await session.browse(id(`${name}/FunctionSet`));
    found.units[name] = functions.references
      .filter((item) => item.nodeClass === NodeClass.Object).map((item) => item.browseName.name);
  }
  const current = id(`${unit}/FunctionSet/${tag}/CurrentValue`);
  for (const property of (await session.browse(current)).references) {
    const value = await session.read({ nodeId: property.nodeId, attributeId: AttributeIds.Value });
    found[property.browseName.name] = value.value.value.displayName
      ? { text: value.value.value.displayName.text, id: value.value.value.unitId }
      : value.value.value;
  }

  const refused = await session.write({
    nodeId: current, attributeId: AttributeIds.Value, value: { value: { dataType: DataType.Double, value: 1 } },
  });
  found.statuses.writeCurrent = refused.name;
  for (const [name, value] of Object.entries(JSON.parse(targets))) {
    const status = await session.write({
      nodeId: id(`${unit}/FunctionSet/${name}/TargetValue`), attributeId: AttributeIds.Value,
      value: { value: { dataType: DataType.Double, value } },
    });
    found.statuses[name] = status.name;
  }

  const subscription = await session.createSubscription2({
    requestedPublishingInterval: 20, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 5,
    maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 1,
  });
  const filter = new DataChangeFilter({
    trigger: DataChangeTrigger.StatusValueTimestamp, deadbandType: DeadbandType.None, deadbandValue: 0,
  });
  const item = await subscription.monitor(
    { nodeId: current, attributeId: AttributeIds.Value },
    { samplingInterval: 0, discardOldest: true, queueSize: 1000, filter }, TimestampsToReturn.Both,
  );
  item.on("changed", (value) => {
    if (value.value.value === null || Number.isNaN(value.value.value)) return;
    found.values.push([value.sourceTimestamp.toISOString(), value.value.value, value.statusCode.name]);
  });

  const text = (value) => ({ dataType: DataType.String, value });
  const when = (value) => ({ dataType: DataType.DateTime, value: new Date(value) });
  const call = async (object, method, inputArguments) => {
    const answer = await session.call({ objectId: id(object), methodId: id(`${object}/${method}`), inputArguments });
    found.statuses[method] = answer.statusCode.name;
    return answer.outputArguments.map((argument) => argument.value);
  };
  const manager = `${unit}/ProgramManager`;
  const list = { dataType: DataType.String, arrayType: VariantArrayType.Array, value: JSON.parse(properties) };
  found.refusal = await call(manager, "StartProgram", [text("judge"), text(phase), when(start), list]);
  const state = async () =>
    (await session.read({
      nodeId: id(`${unit}/FunctionalUnitState/CurrentState/EffectiveDisplayName`), attributeId: AttributeIds.Value,
    })).value.value.text;
  found.running = await state();
  const [reached] = await call("Clock", "Advance", [text("judge"), when(new Date(start).getTime() + 1000 * 3600000)]);
  found.reached = reached.toISOString();
  found.ended = await state();
  await new Promise((resolve) => {
    const started = Date.now();
    const look = () => {
      const last = found.values.length ? found.values[found.values.length - 1][0] : "";
      if (last === found.reached || Date.now() - started > 5000) resolve();
      else setTimeout(look, 20);
    };
    look();
  });
  await subscription.terminate();
  await session.close();
  await client.disconnect();
  console.log(JSON.stringify(found));
}

main().catch((error) => { console.error(error); process.exit(1); });
