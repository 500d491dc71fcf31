// Documents (JSON, a list) from standard input, held against the schemas of the npm package kubernetes-models. Prints what
// is wrong: what the schemas say, and fields that they do not have.
//     node kubernetes_schema.js NODE_MODULES/kubernetes-models < documents.json
"use strict";
const fs = require("fs");
const path = require("path");

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function schemaOf({ apiVersion, kind }) {
  const [version, group = "core"] = apiVersion.split("/").reverse();
  const name = `IoK8sApi${capital(group.split(".")[0])}${capital(version)}${kind}`;
  return require(path.resolve(process.argv[2], "_schemas", `${name}.js`)).validate;
}

// The validators are compiled: each reads the fields that its schema has, and no other. So what nobody reads is unknown.
function watched(value, where, unread) {
  if (typeof value !== "object" || value === null) return value;
  const fields = new Map(Object.entries(value).map(([name, inner]) => [name, watched(inner, `${where}/${name}`, unread)]));
  if (!Array.isArray(value)) for (const name of fields.keys()) unread.add(`${where}/${name}`);
  return new Proxy(value, {
    get(target, name) {
      unread.delete(`${where}/${String(name)}`);
      return fields.has(name) ? fields.get(name) : target[name];
    },
  });
}

function faults(document) {
  const unread = new Set();
  const validate = schemaOf(document);
  const valid = validate(watched(document, "", unread));
  const said = valid ? [] : validate.errors.map((error) => `${error.instancePath}: ${error.keyword} ${JSON.stringify(error.params)}`);
  return [...said, ...[...unread].map((where) => `${where}: no such field`)];
}

const documents = JSON.parse(fs.readFileSync(0, "utf8"));
console.log(JSON.stringify(documents.map(faults)));
