// Service Bus with the topology of infra/servicebus.json, which the local world's bus reads, too.
param location string
param tags object
param token string

@description('Private endpoints exist in Premium only.')
@allowed(['Standard', 'Premium'])
param sku string

@description('What is granted on topics and subscriptions: rows of grants.json; a name is topic or topic/subscription.')
param grants array
param principals object
param roleIds object
param workspaceId string

param privateNetworking bool
param subnetId string
param zoneId string

var topology = loadJsonContent('../../servicebus.json').UserConfig.Namespaces[0].Topics
var allSubscriptions = flatten(map(topology, topic => map(topic.Subscriptions, one => {
  topic: topic.Name
  name: one.Name
  properties: one.Properties
  rules: any(one).?Rules ?? []
})))
// A new subscription has a rule $Default that takes everything. It gets the filter of the first rule of ours, so
// that it takes nothing more than they do; a message that two rules let in is still one message.
var allRules = flatten(map(filter(allSubscriptions, one => !empty(one.rules)), one => map(
  concat([union(one.rules[0], { Name: '$Default' })], one.rules),
  rule => {
    topic: one.topic
    subscription: one.name
    name: rule.Name
    label: rule.Properties.CorrelationFilter.Label
  }
)))

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'sb-backstop-${token}'
  location: location
  tags: tags
  sku: { name: sku, tier: sku }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
  }
}

resource topics 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = [
  for topic in topology: {
    parent: namespace
    name: topic.Name
    properties: {
      defaultMessageTimeToLive: topic.Properties.DefaultMessageTimeToLive
      requiresDuplicateDetection: topic.Properties.RequiresDuplicateDetection
    }
  }
]

resource subscriptions 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = [
  for one in allSubscriptions: {
    name: '${namespace.name}/${one.topic}/${one.name}'
    properties: {
      deadLetteringOnMessageExpiration: one.properties.DeadLetteringOnMessageExpiration
      lockDuration: one.properties.LockDuration
      maxDeliveryCount: one.properties.MaxDeliveryCount
      requiresSession: one.properties.RequiresSession
    }
    dependsOn: [topics]
  }
]

@batchSize(1)
resource rules 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = [
  for rule in allRules: {
    name: '${namespace.name}/${rule.topic}/${rule.subscription}/${rule.name}'
    properties: {
      filterType: 'CorrelationFilter'
      correlationFilter: { label: rule.label }
    }
    dependsOn: [subscriptions]
  }
]

var onTopics = filter(grants, grant => grant.on == 'topic')
var onSubscriptions = filter(grants, grant => grant.on == 'subscription')

resource grantedTopics 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = [
  for grant in onTopics: {
    parent: namespace
    name: grant.name
  }
]

resource topicGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onTopics: {
    name: guid(grantedTopics[i].id, principals[grant.identity], grant.role)
    scope: grantedTopics[i]
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
    dependsOn: [topics]
  }
]

resource grantedSubscriptions 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' existing = [
  for grant in onSubscriptions: {
    name: '${namespace.name}/${split(grant.name, '/')[0]}/${split(grant.name, '/')[1]}'
  }
]

resource subscriptionGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onSubscriptions: {
    name: guid(grantedSubscriptions[i].id, principals[grant.identity], grant.role)
    scope: grantedSubscriptions[i]
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
    dependsOn: [subscriptions]
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = if (privateNetworking) {
  name: 'bus-endpoint'
  params: {
    name: 'pep-bus-${token}'
    location: location
    tags: tags
    subnetId: subnetId
    zoneId: zoneId
    targetId: namespace.id
    service: 'namespace'
  }
}

@description('What BACKSTOP_BUS__fullyQualifiedNamespace says.')
output hostName string = '${namespace.name}.servicebus.windows.net'
