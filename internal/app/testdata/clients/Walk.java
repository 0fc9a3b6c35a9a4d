// HAPI's client walks through the API: java Walk BASE TOKEN
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.api.SortSpec;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import java.util.HashSet;
import java.util.Set;
import org.hl7.fhir.r4.model.*;

public class Walk {
  static final String SYSTEM = "urn:test:hapi";

  static void check(boolean ok, String what) {
    if (!ok) throw new AssertionError(what);
  }

  static Patient person(int n) {
    Patient p = new Patient();
    p.addIdentifier().setSystem(SYSTEM).setValue(String.format("%03d", n));
    p.addName().setFamily(n % 2 == 0 ? "Đặng" : "Bùi").addGiven("Văn").addGiven("Thử " + n);
    p.setGender(Enumerations.AdministrativeGender.MALE).setBirthDateElement(new DateType("1970-01-" + String.format("%02d", 1 + n % 28)));
    return p;
  }

  public static void main(String[] args) {
    FhirContext ctx = FhirContext.forR4();
    ctx.getRestfulClientFactory().setSocketTimeout(60_000);
    for (EncodingEnum form : new EncodingEnum[] {EncodingEnum.JSON, EncodingEnum.XML}) {
      IGenericClient client = ctx.newRestfulGenericClient(args[0]); // reads /metadata first and refuses a wrong version
      client.registerInterceptor(new BearerTokenAuthInterceptor(args[1]));
      client.setEncoding(form);
      walk(client, form);
    }
    System.out.println("HAPI client: all as expected");
  }

  static void walk(IGenericClient client, EncodingEnum form) {
    Bundle bundle = new Bundle().setType(Bundle.BundleType.TRANSACTION);
    for (int n = 0; n < 25; n++) {
      bundle.addEntry().setFullUrl("urn:uuid:00000000-0000-4000-8000-" + String.format("%012d", n)).setResource(person(n)).getRequest()
          .setMethod(Bundle.HTTPVerb.PUT).setUrl("Patient?identifier=" + SYSTEM + "|" + String.format("%03d", n));
    }
    Bundle made = client.transaction().withBundle(bundle).execute();
    check(made.getEntry().size() == 25, "25 entries answered");

    Set<String> found = new HashSet<>();
    int pages = 0;
    Bundle page = client.search().forResource(Patient.class).where(Patient.IDENTIFIER.hasSystemWithAnyCode(SYSTEM))
        .sort(new SortSpec("birthdate")).count(10).returnBundle(Bundle.class).execute();
    while (true) {
      pages++;
      page.getEntry().forEach(e -> check(found.add(e.getResource().getIdElement().getIdPart()), "once each"));
      if (page.getLink(Bundle.LINK_NEXT) == null) break;
      page = client.loadPage().next(page).execute();
    }
    check(found.size() == 25 && pages == 3, "25 in 3 pages, not " + found.size() + " in " + pages);
    Bundle named = client.search().forResource(Patient.class).where(Patient.FAMILY.matches().value("dang"))
        .where(Patient.IDENTIFIER.hasSystemWithAnyCode(SYSTEM)).returnBundle(Bundle.class).execute();
    check(named.getEntry().size() == 13, "Đặng is found as dang");

    MethodOutcome outcome = client.create().resource(person(700)).prefer(PreferReturnEnum.REPRESENTATION).execute();
    check(outcome.getCreated(), "created");
    IdType id = (IdType) outcome.getId();
    check("1".equals(id.getVersionIdPart()), "version 1");
    Parameters patch = new Parameters();
    Parameters.ParametersParameterComponent op = patch.addParameter().setName("operation");
    op.addPart().setName("type").setValue(new CodeType("replace"));
    op.addPart().setName("path").setValue(new StringType("Patient.birthDate"));
    op.addPart().setName("value").setValue(new DateType("1971-02-03"));
    client.patch().withFhirPatch(patch).withId(id.toUnqualifiedVersionless()).execute();
    Patient p = client.read().resource(Patient.class).withId(id.getIdPart()).execute();
    check("1971-02-03".equals(p.getBirthDateElement().getValueAsString()), "patched");
    p.setActive(true);
    client.update().resource(p).execute();
    Bundle history = client.history().onInstance(id.toUnqualifiedVersionless()).returnBundle(Bundle.class).execute();
    check(history.getEntry().size() == 3, "three versions, not " + history.getEntry().size());
    Bundle since = client.history().onType(Patient.class).returnBundle(Bundle.class).count(5).execute();
    check(since.getEntry().size() == 5 && since.getLink(Bundle.LINK_NEXT) != null, "history of the type has pages");

    try {
      p.setId(id.toUnqualifiedVersionless().withVersion("1"));
      client.update().resource(p).withAdditionalHeader("If-Match", "W/\"1\"").execute();
      check(false, "an old version must not win");
    } catch (PreconditionFailedException e) {
      check(e.getOperationOutcome() != null, "refused with an OperationOutcome");
    }
    Observation o = new Observation().setStatus(Observation.ObservationStatus.FINAL).setSubject(new Reference(id.toUnqualifiedVersionless()))
        .setCode(new CodeableConcept(new Coding("http://loinc.org", "29463-7", null))).setValue(new Quantity().setValue(new java.math.BigDecimal("61.50")).setSystem("http://unitsofmeasure.org").setCode("kg"));
    IdType observation = (IdType) client.create().resource(o).execute().getId();
    Observation back = client.read().resource(Observation.class).withId(observation.getIdPart()).execute();
    check("61.50".equals(back.getValueQuantity().getValue().toPlainString()), "61.50 keeps its zero in " + form);
    Bundle all = client.operation().onInstance(id.toUnqualifiedVersionless()).named("$everything").withNoParameters(Parameters.class).useHttpGet()
        .returnResourceType(Bundle.class).execute();
    check(all.getEntry().size() == 2, "$everything has both");
    try {
      client.create().resource(new Observation().setStatus(Observation.ObservationStatus.FINAL)).execute();
      check(false, "an Observation without code must be refused");
    } catch (BaseServerResponseException e) {
      check(e.getStatusCode() == 422 || e.getStatusCode() == 400, "refused, not " + e.getStatusCode());
    }
    client.delete().resourceById(observation.toUnqualifiedVersionless()).execute();
    client.delete().resourceById(id.toUnqualifiedVersionless()).execute();
    try {
      client.read().resource(Patient.class).withId(id.getIdPart()).execute();
      check(false, "gone");
    } catch (ResourceGoneException e) {
      check(e.getStatusCode() == 410, "410");
    }
  }
}
